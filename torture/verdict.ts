/** Violations of one promise that are kept word by word. */
const MAX_TOLD = 3;

/** How a promise was broken: how often, and the first times told precisely. */
interface Broken {
  count: number;
  told: string[];
}

/** What was checked, and what did not hold. */
export class Verdict {
  checks = 0;
  /** By promise. */
  readonly broken = new Map<string, Broken>();

  get violations(): number {
    return [...this.broken.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** Notes whether a promise holds; where it does not, `tell` says what is wrong. Returns whether it holds. */
  check(promise: string, holds: boolean, tell: () => string): boolean {
    this.checks++;
    if (holds) return true;
    const broken = this.broken.get(promise) ?? { count: 0, told: [] };
    this.broken.set(promise, broken);
    broken.count++;
    if (broken.told.length < MAX_TOLD) broken.told.push(tell());
    return false;
  }
}
