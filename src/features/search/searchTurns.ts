import { AppError } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';

/** Searches under way at a time. They share the connections to the database with sends. */
const MAX_RUNNING = 3;
/** Most searches of one user that wait. */
const MAX_WAITING = 10;
/** Longest that a search may have waited when its turn comes, in milliseconds. */
const PATIENCE = 4_000;

interface Waiting {
  since: number;
  begin: () => void;
  refuse: (error: AppError) => void;
}

/** Lets few searches be under way at a time, and one of each user: what one costs is bounded, but much more than a send. Users take turns. */
export class SearchTurns {
  /** Whose searches are under way. */
  readonly #running = new Set<string>();
  /** By user, whoever is next first. */
  readonly #waiting = new Map<string, Waiting[]>();

  constructor(metrics: Metrics) {
    metrics.watchQueue('searches', () => [...this.#waiting.values()].reduce((sum, { length }) => sum + length, 0));
  }

  /**
   * Does `search` when it is its turn.
   * @throws {AppError} `busy` when too many searches of the user wait, or it has waited too long
   */
  async take<T>(userId: string, search: () => Promise<T>): Promise<T> {
    if (this.#running.size < MAX_RUNNING && !this.#running.has(userId)) this.#running.add(userId);
    else await this.#turnOf(userId);
    try {
      return await search();
    } finally {
      this.#running.delete(userId);
      this.#goOn();
    }
  }

  #turnOf(userId: string): Promise<void> {
    const queue = this.#waiting.get(userId) ?? [];
    if (queue.length >= MAX_WAITING) throw new AppError('busy');
    this.#waiting.set(userId, queue);
    return new Promise((begin, refuse) => queue.push({ since: performance.now(), begin, refuse }));
  }

  #goOn(): void {
    for (const [userId, queue] of this.#waiting) {
      if (this.#running.size >= MAX_RUNNING) return;
      if (this.#running.has(userId)) continue;
      const next = queue.shift();
      // Behind the others, where it is met again.
      this.#waiting.delete(userId);
      if (queue.length > 0) this.#waiting.set(userId, queue);
      if (next) this.#settle(userId, next);
    }
  }

  #settle(userId: string, { since, begin, refuse }: Waiting): void {
    if (performance.now() - since > PATIENCE) {
      refuse(new AppError('busy'));
      return;
    }
    this.#running.add(userId);
    begin();
  }
}
