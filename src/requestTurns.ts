import { Lanes } from './lib/lanes.ts';
import type { Metrics } from './metrics.ts';

/** Requests of one user under way at a time: fewer than there are connections to the database for what users ask. */
const MAX_RUNNING_OF_USER = 4;
/** Most requests of one user that wait: all of a few connections. */
const MAX_WAITING = 1_000;
/** How long one may wait for its turn, in milliseconds. */
const PATIENCE = 5_000;

/**
 * Lets few requests of one user be under way at a time, of those that are `inTurn`. What waits for a connection to the database waits behind
 * a few of each other user, and not behind all that somebody asks for.
 */
export function createRequestTurns(metrics: Metrics): Lanes {
  const turns = new Lanes({
    maxRunning: Number.POSITIVE_INFINITY,
    maxRunningOfLane: MAX_RUNNING_OF_USER,
    maxWaiting: MAX_WAITING,
    patience: PATIENCE,
  });
  metrics.watchQueue('requests', () => turns.waiting);
  return turns;
}
