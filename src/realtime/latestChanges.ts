/** How long a change is remembered at least, in milliseconds: none is heard of so long after it was made. */
const MEMORY = 60_000;

/** The numbers of the latest changes of many things, each for a minute or two. */
export class LatestChanges {
  #recent = new Map<string, number>();
  #former = new Map<string, number>();
  #begunAt = -Infinity;

  /** Takes note of a change of a thing, unless a later one of it is known already: then returns false. */
  note(name: string, number: number): boolean {
    const latest = this.#recent.get(name) ?? this.#former.get(name);
    if (latest !== undefined && latest >= number) return false;
    const now = performance.now();
    if (now - this.#begunAt > MEMORY) {
      this.#former = this.#recent;
      this.#recent = new Map();
      this.#begunAt = now;
    }
    this.#recent.set(name, number);
    return true;
  }
}
