import { setTimeout as delay } from 'node:timers/promises';
import { toAppError } from '../../db/databaseErrors.ts';
import type { Database, Statement } from '../../db/sequelize.ts';
import type { Logger } from '../../lib/logger.ts';

/** How often it looks whether there is anything to index, in milliseconds. */
const INTERVAL = 5_000;
/** How much longer it rests than it works while there is more, so many times: sends come first. */
const REST = 10;
const LEAST_REST = 20;
/** Time of messages that is indexed at once, in milliseconds: at first and at most. */
const SPAN = 1_000;
const LONGEST_SPAN = 3_600_000;
/** A step that is shorter, in milliseconds, may be followed by one over twice the time of messages. */
const SHORT = 100;

const INDEX: Statement = {
  name: 'index_next_messages',
  text: `SELECT is_behind AS "isBehind", too_many AS "tooMany" FROM index_next_messages($1::float8 * interval '1 ms')`,
};

/**
 * Makes messages known to the index of their words, some time after they were sent and with little of the database's time, however many
 * there are. Until then a search finds them without it. Of several processes on one database one at a time does it.
 */
export class MessageIndexer {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #span = SPAN;
  #running: Promise<void> | undefined;

  constructor(database: Database, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
  }

  /** Goes on until `stop`. */
  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let rest = INTERVAL;
    while (await delay(rest, true, { signal, ref: false }).catch(() => false)) rest = await this.#step();
  }

  /** Indexes some messages; resolves with how long to rest then. */
  async #step(): Promise<number> {
    const begunAt = performance.now();
    try {
      const [progress] = await this.#database.run<{ isBehind: boolean; tooMany: boolean }>(INDEX, [this.#span]);
      const elapsed = performance.now() - begunAt;
      if (progress?.tooMany) this.#span /= 2;
      else if (elapsed < SHORT) this.#span = Math.min(this.#span * 2, LONGEST_SPAN);
      return progress?.isBehind ? Math.max(LEAST_REST, elapsed * REST) : INTERVAL;
    } catch (error) {
      toAppError(error, { logger: this.#logger });
      this.#span = Math.max(1, this.#span / 2);
      return INTERVAL;
    }
  }
}
