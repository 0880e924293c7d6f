import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Choices that a seed decides: the same seed, the same choices. */
export class Random {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** A whole number, both ends included. */
  integer(from: number, to: number): number {
    return uniformInt(this.#generator, from, to);
  }

  /** True so many times in a hundred. */
  chance(percent: number): boolean {
    return this.integer(1, 100) <= percent;
  }

  /** @throws {RangeError} when there is nothing to pick from */
  pick<T>(items: readonly T[]): T {
    const [item] = items.slice(this.integer(0, items.length - 1));
    if (item === undefined) throw new RangeError('nothing to pick from');
    return item;
  }

  /** So many of the items, or all when there are fewer, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const left = [...items];
    return Array.from({ length: Math.min(count, items.length) }, () => left.splice(this.integer(0, left.length - 1), 1)).flat();
  }

  /** Choices of their own: how many are made there changes none here. */
  fork(): Random {
    return new Random(this.integer(0, 0x7fffffff));
  }
}
