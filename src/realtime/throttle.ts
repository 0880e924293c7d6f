/** How long a topic is left in peace after a call, in milliseconds. */
const PAUSE = 2_000;

/**
 * Does something for a topic: at once, and after a pause once more if it was called meanwhile. Who sends a message again and again must
 * not make everybody in a large group catch up without end.
 */
export class Throttle {
  readonly #run: (topic: string) => void;
  /** Topics that are left in peace, and whether there was a call since. */
  readonly #paused = new Map<string, boolean>();

  constructor(run: (topic: string) => void) {
    this.#run = run;
  }

  call(topic: string): void {
    if (this.#paused.has(topic)) {
      this.#paused.set(topic, true);
      return;
    }
    this.#run(topic);
    this.#paused.set(topic, false);
    setTimeout(() => this.#resume(topic), PAUSE).unref();
  }

  #resume(topic: string): void {
    const isDue = this.#paused.get(topic);
    this.#paused.delete(topic);
    if (isDue) this.call(topic);
  }
}
