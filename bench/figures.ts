import { z } from 'zod';
import type { Stage } from './stage.ts';

const bound = z.union([z.object({ atLeast: z.number() }), z.object({ atMost: z.number() })]);

export const figure = z.object({
  /** What was loaded, and how: `private, 4 in flight`. */
  scenario: z.string(),
  /** What the figure counts: `messages/s`, `p99 ms`. */
  unit: z.string(),
  value: z.number(),
  /** The same of the floor: the relay, the small data beside the large, or the server without what disturbs it. */
  floor: z.number(),
  /** What `value / floor` must reach or keep below; absent where nothing is required of it. */
  required: bound.optional(),
  /** What `value` itself must reach or keep below; absent where nothing is required of it. */
  requiredValue: bound.optional(),
  /** Milliseconds. */
  p50: z.number().optional(),
  p99: z.number().optional(),
  /** Microseconds of the server process's processor time for each thing done. */
  cpuMicroseconds: z.number().optional(),
  /** Bytes that the server process uses at the end. */
  memory: z.number().optional(),
});

export const line = z.object({
  /** `throughput`: messages/s and p99 in ms. `pages`: messages there are and p50 in ms. */
  chart: z.enum(['throughput', 'pages']),
  name: z.string(),
  points: z.array(z.object({ x: z.number(), y: z.number() })),
});

export type Bound = z.output<typeof bound>;
/** A figure that was measured, and what it is held against. */
export type Figure = z.output<typeof figure>;
/** A line of a chart. */
export type Line = z.output<typeof line>;

/** What a scenario found. */
export interface Findings {
  figures: Figure[];
  lines: Line[];
}

/** Plays on a stage of its own. */
export type Scenario = (stage: Stage) => Promise<Findings>;
