/** How long a topic is left in peace after a call, in milliseconds: at least, and for each connection that is in it. */
const LEAST_PAUSE = 2_000;
const PAUSE_PER_CONNECTION = 4;

interface ThrottleOptions {
  run(topic: string): void;
  /** How many connections of this process are in the topic. */
  connectionsIn(topic: string): number;
}

/**
 * Does something for a topic: at once, and after a pause once more if it was called meanwhile. Who sends a message again and again must
 * not make everybody in a large group catch up without end: the more there are, the longer they are left in peace.
 */
export class Throttle {
  readonly #options: ThrottleOptions;
  /** Topics that are left in peace, and whether there was a call since. */
  readonly #paused = new Map<string, boolean>();

  constructor(options: ThrottleOptions) {
    this.#options = options;
  }

  call(topic: string): void {
    if (this.#paused.has(topic)) {
      this.#paused.set(topic, true);
      return;
    }
    this.#options.run(topic);
    this.#paused.set(topic, false);
    const pause = Math.max(LEAST_PAUSE, this.#options.connectionsIn(topic) * PAUSE_PER_CONNECTION);
    setTimeout(() => this.#resume(topic), pause).unref();
  }

  #resume(topic: string): void {
    const isDue = this.#paused.get(topic);
    this.#paused.delete(topic);
    if (isDue) this.call(topic);
  }
}
