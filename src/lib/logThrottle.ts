/** Lets so many log lines through in so many milliseconds, counted from the first of them. The next one tells how many were held back. */
export class LogThrottle {
  readonly #count: number;
  readonly #interval: number;
  #begunAt = -Infinity;
  #written = 0;
  #heldBack = 0;

  constructor({ count, interval }: { count: number; interval: number }) {
    this.#count = count;
    this.#interval = interval;
  }

  /** Calls `write`, which writes one line, unless there were enough of them already. */
  log(write: (heldBack: { heldBack?: number }) => void): void {
    const now = performance.now();
    if (now - this.#begunAt >= this.#interval) {
      this.#begunAt = now;
      this.#written = 0;
    }
    if (this.#written >= this.#count) {
      this.#heldBack++;
      return;
    }
    this.#written++;
    write(this.#heldBack > 0 ? { heldBack: this.#heldBack } : {});
    this.#heldBack = 0;
  }
}
