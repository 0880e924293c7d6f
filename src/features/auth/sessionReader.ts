import type { Database } from '../../db/sequelize.ts';
import { Batcher } from '../../lib/batcher.ts';
import type { Metrics } from '../../metrics.ts';
import { readSessions, type SessionName, type SessionRow } from './queries.ts';

const MAX_BATCH = 100;
/** A second one goes on when the first is held up. */
const MAX_RUNNING = 2;
/** In milliseconds. Requests to connect come one by one: at 2,000 a second twelve share a query, and none of them notices. */
const INTERVAL = 6;
/** At 2,000 connects a second the last of them waits five seconds. */
const MAX_WAITING = 10_000;
/** In milliseconds. A batch takes up to six seconds to fail: what had to wait behind it is not made to wait for another. */
const PATIENCE = 1_000;

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
      maxRunning: MAX_RUNNING,
      interval: INTERVAL,
      maxWaiting: MAX_WAITING,
      patience: PATIENCE,
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
