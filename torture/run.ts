import type { Counts } from './counts.ts';
import type { History } from './history.ts';
import type { Server } from './server.ts';
import type { Verdict } from './verdict.ts';

/** What all parts of a run share. */
export interface Run {
  /** One, or several on one database, between which clients choose. */
  servers: readonly Server[];
  history: History;
  verdict: Verdict;
  counts: Counts;
  /** Users who do not read, or write more than the server takes at once, and until when: they may wait, or their connections be closed. */
  slowUntil: Map<string, number>;
}
