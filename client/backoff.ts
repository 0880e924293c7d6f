/** Waits that grow with every failure, each with a random part, so that clients that failed together do not come back together. */
export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  #failures = 0;

  /** The first wait and the longest, in milliseconds. */
  constructor(first: number, longest: number) {
    this.#first = first;
    this.#longest = longest;
  }

  /** How long to wait now, in milliseconds: anything up to twice the former bound. */
  next(): number {
    const bound = Math.min(this.#longest, this.#first * 2 ** this.#failures);
    this.#failures++;
    return Math.random() * bound;
  }

  /** How long to wait when told to stay away: between half of the longest wait and all of it. */
  nextLong(): number {
    this.#failures++;
    return this.#longest * (0.5 + Math.random() / 2);
  }

  /** It went well: the next wait is a short one. */
  reset(): void {
    this.#failures = 0;
  }
}
