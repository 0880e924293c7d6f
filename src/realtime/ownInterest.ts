/**
 * Of which users no other process wants to hear what they do. To publish that all the same would be half of what the bus carries:
 * most people have one device. What is not known is taken for wanted.
 */
export class OwnInterest {
  readonly #unwanted = new Set<string>();
  /** Answers to what was published before a change say nothing any more. */
  #changes = 0;

  isWanted(userId: string): boolean {
    return !this.#unwanted.has(userId);
  }

  /** Takes note of how many processes got what the user did; `here` of them are this one. */
  learn(userId: string, receivers: Promise<number | undefined>, here: 0 | 1): void {
    const changes = this.#changes;
    void receivers.then((count) => {
      if (count === here && changes === this.#changes) this.#unwanted.add(userId);
    });
  }

  /** Another process wants it, or this one cannot know any more. Returns whether something may have been held back. */
  forget(userId: string): boolean {
    this.#changes++;
    return this.#unwanted.delete(userId);
  }

  forgetAll(): void {
    this.#changes++;
    this.#unwanted.clear();
  }
}
