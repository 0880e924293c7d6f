import type { Database, Statement } from '../../db/sequelize.ts';
import { Batcher } from '../../lib/batcher.ts';
import type { Claims } from './tokens.ts';

const MAX_BATCH = 100;
/** A second one goes on when the first is held up. */
const MAX_RUNNING = 2;
/** In milliseconds. Requests to connect come one by one: at 2,000 a second six share a query, and none of them notices. */
const INTERVAL = 3;
/** At 2,000 connects a second the last of them waits five seconds. */
const MAX_WAITING = 10_000;

interface Row {
  groupIds: string[] | null;
}

/** Sub-selects and not joins: each session and each user's groups are looked up, whatever the planner thinks of the tables' sizes. */
const READ: Statement = {
  name: 'read_sessions',
  text: `
    SELECT CASE WHEN (SELECT user_id FROM sessions WHERE id = asked.session_id) = asked.user_id
      THEN ARRAY(SELECT conversation_id FROM members WHERE user_id = asked.user_id AND companion_id IS NULL) END AS "groupIds"
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (session_id, user_id, position)
    ORDER BY position`,
};

/** Reads what a new connection needs, for many at once: after a restart everybody connects in the same moment. */
export class SessionReader {
  readonly #batcher: Batcher<Claims, Row>;

  constructor(database: Database) {
    this.#batcher = new Batcher({
      flush: (claims) => database.run<Row>(READ, [claims.map(({ sessionId }) => sessionId), claims.map(({ userId }) => userId)]),
      // Nothing that is read has to wait for another.
      laneOf: (claims) => claims,
      identityOf: (claims) => claims,
      maxBatch: MAX_BATCH,
      maxRunning: MAX_RUNNING,
      interval: INTERVAL,
      maxWaiting: MAX_WAITING,
    });
  }

  /**
   * The ids of the groups of the user whose token it is; undefined when the session that the token names has ended.
   * @throws {AppError} `busy` when too many wait
   */
  async groupsOf(claims: Claims): Promise<string[] | undefined> {
    return (await this.#batcher.add(claims)).groupIds ?? undefined;
  }

  /** Resolves when all that was asked is answered. */
  drain(): Promise<void> {
    return this.#batcher.drain();
  }
}
