/** How long those in a topic are left in peace after they were told to catch up, in milliseconds. */
const PAUSE = 2_000;

/**
 * Tells those in a topic to catch up: at once, and after a pause once more if there was cause meanwhile.
 * Who sends a message again and again must not make everybody in a large group ask without end.
 */
export class Doubts {
  readonly #tell: (topic: string) => void;
  /** Topics that are left in peace, and whether there was cause since. */
  readonly #paused = new Map<string, boolean>();

  constructor(tell: (topic: string) => void) {
    this.#tell = tell;
  }

  raise(topic: string): void {
    if (this.#paused.has(topic)) {
      this.#paused.set(topic, true);
      return;
    }
    this.#tell(topic);
    this.#paused.set(topic, false);
    setTimeout(() => this.#resume(topic), PAUSE).unref();
  }

  #resume(topic: string): void {
    const isDue = this.#paused.get(topic);
    this.#paused.delete(topic);
    if (isDue) this.raise(topic);
  }
}
