import { setTimeout as delay } from 'node:timers/promises';
import { isUnavailable } from '../../db/databaseErrors.ts';
import type { Database, Statement } from '../../db/sequelize.ts';
import { codeOf } from '../../lib/describeError.ts';
import type { Logger } from '../../lib/logger.ts';
import { LogThrottle } from '../../lib/logThrottle.ts';
import { within } from '../../lib/within.ts';
import type { Metrics } from '../../metrics.ts';

/** How often it looks whether there is anything to index, in milliseconds. */
const INTERVAL = 5_000;
/** Most messages that are indexed at once. */
const MAX_BATCH = 1_000;
/** A batch that takes longer is followed by a smaller one, in milliseconds: it must stay far from the time that a statement has. */
const LONG = 1_000;
/** How much longer it rests than it works while there is more, so many times: sends come first. */
const REST = 10;
/** How long a stop waits for what is under way, in milliseconds. */
const PATIENCE = 1_000;
/** How often messages that take too long by themselves are tried. None takes a hundredth of the time that a statement has: the database is slow. */
const TRIES = 3;
/** Most log lines about failures in so many milliseconds. */
const FAILURE_LINES = { count: 10, interval: 10_000 };
/** SQLSTATE of a statement that took too long. */
const TOO_LONG = '57014';

const INDEX: Statement = { name: 'index_next_messages', text: 'SELECT index_next_messages($1) AS "isMoreLeft"' };

/** The messages of the next millisecond, which `index_next_messages` cannot take apart, and which are as old as it wants them. */
const NEXT: Statement = {
  name: 'next_messages_to_index',
  text: `
  SELECT conversation_id AS "conversationId", created_at AS "createdAt" FROM messages
  WHERE created_at = (
    SELECT min(created_at) FROM messages
    WHERE created_at > (SELECT indexed_until FROM search_progress WHERE id = 1) AND created_at <= now() - interval '20 s'
  )`,
};
const INDEX_ONE: Statement = {
  name: 'index_message',
  text: `
  INSERT INTO searched_messages
  SELECT conversation_id, created_at, strip(message_words(content)) FROM messages WHERE conversation_id = $1 AND created_at = $2
  ON CONFLICT DO NOTHING`,
};
const GO_ON: Statement = {
  name: 'go_on_indexing',
  text: 'UPDATE search_progress SET indexed_until = $1 WHERE id = 1 AND indexed_until < $1',
};

/** One look into an index of times. */
const AGE: Statement = {
  name: 'age_of_next_message_to_index',
  text: `
  SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS seconds FROM messages
  WHERE created_at > (SELECT indexed_until FROM search_progress WHERE id = 1)`,
};

/** A batch that fails has cost all of its time: the next one is not to fail too. */
const smallerThan = (size: number): number => Math.floor(size / 4);

interface Place {
  conversationId: string;
  createdAt: Date;
}

/**
 * Makes messages known to the index of their words, some time after they were sent and with little of the database's time, however many
 * there are. Until then a search finds them without it. Of several processes on one database one at a time does it.
 */
export class MessageIndexer {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #failures = new LogThrottle(FAILURE_LINES);
  #running: Promise<void> = Promise.resolve();
  /** Messages in the next batch; with 0 they are taken one by one. */
  #size = MAX_BATCH;
  /** How often a message of the next millisecond took too long by itself. */
  #tries = 0;
  /** When the oldest message that is not indexed was sent, by `performance.now()`; undefined when there is none. */
  #oldest: number | undefined;

  constructor(database: Database, logger: Logger, metrics: Metrics) {
    this.#database = database;
    this.#logger = logger;
    metrics.watchIndex(() => (this.#oldest === undefined ? 0 : (performance.now() - this.#oldest) / 1000));
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
    while (await delay(rest, true, { signal, ref: false }).catch(() => false)) {
      rest = await this.#step();
      // What is not known goes on growing old.
      await this.#look().catch(() => {});
    }
  }

  /** Indexes some messages; resolves with how long to rest then. Never rejects. */
  async #step(): Promise<number> {
    const begunAt = performance.now();
    try {
      const isMoreLeft = this.#size === 0 ? await this.#indexEach() : await this.#indexBatch();
      const took = performance.now() - begunAt;
      this.#size = took > LONG ? smallerThan(this.#size) : Math.min(MAX_BATCH, Math.max(1, this.#size * 2));
      return isMoreLeft ? took * REST : INTERVAL;
    } catch (error) {
      this.#failures.log((heldBack) =>
        this.#logger.warn(
          { err: error, messages: this.#size, ...heldBack },
          'messages could not be indexed, and are tried again, fewer at once',
        ),
      );
      this.#size = smallerThan(this.#size);
      return INTERVAL;
    }
  }

  async #indexBatch(): Promise<boolean> {
    const [progress] = await this.#database.run<{ isMoreLeft: boolean }>(INDEX, [this.#size]);
    return progress?.isMoreLeft ?? false;
  }

  async #indexEach(): Promise<boolean> {
    const places = await this.#database.run<Place>(NEXT, []);
    for (const place of places) {
      if (this.#stopping.signal.aborted) return false;
      await this.#indexOne(place);
    }
    const [first] = places;
    if (first) await this.#database.run(GO_ON, [first.createdAt]);
    this.#tries = 0;
    return first !== undefined;
  }

  /** Leaves out a message that the database cannot index: the others do not wait for it. */
  async #indexOne({ conversationId, createdAt }: Place): Promise<void> {
    try {
      await this.#database.run(INDEX_ONE, [conversationId, createdAt]);
    } catch (error) {
      if (codeOf(error) === TOO_LONG) this.#tries++;
      const isToBlame = codeOf(error) === TOO_LONG ? this.#tries >= TRIES : !isUnavailable(error);
      if (!isToBlame) throw error;
      this.#failures.log((heldBack) =>
        this.#logger.error({ err: error, conversationId, createdAt, ...heldBack }, 'a message cannot be indexed: no search finds it'),
      );
    }
  }

  async #look(): Promise<void> {
    const [oldest] = await this.#database.run<{ seconds: number | null }>(AGE, []);
    this.#oldest = oldest?.seconds == null ? undefined : performance.now() - oldest.seconds * 1000;
  }
}
