import { Lanes } from '../../lib/lanes.ts';
import type { Metrics } from '../../metrics.ts';

/** Searches under way at a time. They share the connections to the database with all else that users read. */
const MAX_RUNNING = 3;
/** Most searches of one user that wait. */
const MAX_WAITING = 10;
/** How long a search may wait for its turn, in milliseconds. */
const PATIENCE = 4_000;

/** Lets few searches be under way at a time, and one of each user: what one costs is bounded, but much more than a send. */
export function createSearchTurns(metrics: Metrics): Lanes {
  const turns = new Lanes({ maxRunning: MAX_RUNNING, maxRunningOfLane: 1, maxWaiting: MAX_WAITING, patience: PATIENCE });
  metrics.watchQueue('searches', () => turns.waiting);
  return turns;
}
