import type { Stage } from './stage.ts';

/** A figure that was measured, and what it is held against. */
export interface Figure {
  /** What was loaded, and how: `private, 4 in flight`. */
  scenario: string;
  /** What the figure counts: `messages/s`, `p99 ms`. */
  unit: string;
  value: number;
  /** The same of the floor: the relay, the small data beside the large, the calm beside the storm. */
  floor?: number;
  /** What is required of `value / floor`, or of `value` alone. */
  required?: Bound;
  /** Milliseconds. */
  p50?: number | undefined;
  p99?: number | undefined;
  /** Microseconds of the server process's processor time for each thing done. */
  cpuMicroseconds?: number | undefined;
  /** Bytes that the server process uses at the end. */
  memory?: number | undefined;
}

type Bound = { atLeast: number } | { atMost: number } | { valueAtMost: number };

/** A line of a chart. */
export interface Line {
  /** `throughput`: messages/s and p99 in ms. `pages`: messages there are and p50 in ms. */
  chart: 'throughput' | 'pages';
  name: string;
  points: { x: number; y: number }[];
}

/** What a scenario found. */
export interface Findings {
  figures: Figure[];
  lines: Line[];
}

/** Plays on a stage of its own. */
export type Scenario = (stage: Stage) => Promise<Findings>;
