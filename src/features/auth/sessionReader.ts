import type { Database } from '../../db/sequelize.ts';
import { Batcher } from '../../lib/batcher.ts';
import type { Metrics } from '../../metrics.ts';
import { readSessions, type SessionName, type SessionRow } from './queries.ts';

const MAX_BATCH = 100;
/** In milliseconds. Requests to connect come one by one: at 2,000 a second twelve share a query, and none of them notices. */
const INTERVAL = 6;

/** Reads what a new connection needs, for many at once: after a restart everybody connects in the same moment. */
export class SessionReader {
  readonly #batcher: Batcher<SessionName, SessionRow>;

  constructor(database: Database, metrics: Metrics) {
    this.#batcher = new Batcher({
      kind: 'sessions',
      metrics,
      flush: (sessions) => readSessions(database, sessions),
      // Nothing that is read has to wait for another.
      laneOf: (session) => session,
      identityOf: (session) => session,
      maxBatch: MAX_BATCH,
      interval: INTERVAL,
    });
  }

  /**
   * The ids of the groups of the user whose session it is; undefined when it has ended.
   * @throws {AppError} `busy` when too many wait
   */
  async groupsOf(session: SessionName): Promise<string[] | undefined> {
    return (await this.#batcher.add(session)).groupIds ?? undefined;
  }

  /** Resolves when all that was asked is answered. */
  drain(): Promise<void> {
    return this.#batcher.drain();
  }
}
