import { setTimeout as delay } from 'node:timers/promises';
import { toAppError } from '../../db/databaseErrors.ts';
import type { Database, Statement } from '../../db/sequelize.ts';
import type { Logger } from '../../lib/logger.ts';
import { within } from '../../lib/within.ts';

/** How often it looks whether there is anything to index, in milliseconds. */
const INTERVAL = 5_000;
/** Messages that are indexed at once. */
const BATCH = 1_000;
/** How much longer it rests than it works while there is more, so many times: sends come first. */
const REST = 10;
/** How long a stop waits for what is under way, in milliseconds. */
const PATIENCE = 1_000;

const INDEX: Statement = { name: 'index_next_messages', text: `SELECT index_next_messages(${BATCH}) AS "isMoreLeft"` };

/**
 * Makes messages known to the index of their words, some time after they were sent and with little of the database's time, however many
 * there are. Until then a search finds them without it. Of several processes on one database one at a time does it.
 */
export class MessageIndexer {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(database: Database, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
  }

  /** Goes on until `stop`. */
  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when nothing is under way, or soon: what is not committed then is indexed by the next one. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await within(PATIENCE, this.#running);
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
      const [progress] = await this.#database.run<{ isMoreLeft: boolean }>(INDEX, []);
      return progress?.isMoreLeft ? (performance.now() - begunAt) * REST : INTERVAL;
    } catch (error) {
      toAppError(error, { logger: this.#logger });
      return INTERVAL;
    }
  }
}
