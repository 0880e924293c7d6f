import type { Counts } from './counts.ts';
import type { History } from './history.ts';
import type { Server } from './server.ts';
import type { Verdict } from './verdict.ts';

/** What all parts of a run share. */
export interface Run {
  server: Server;
  history: History;
  verdict: Verdict;
  counts: Counts;
  /** Users who do not read what is sent to them, or have much to catch up on, and until when: their connections may be closed for it. */
  slowUntil: Map<string, number>;
}
