import { z } from 'zod';

/** A value of a metric, as prom-client hands it over. NaN is one too. */
const value = z.object({
  value: z.custom<number>((number) => typeof number === 'number'),
  labels: z.record(z.string(), z.unknown()),
  /** Of a histogram, which of its parts this is. */
  metricName: z.string().optional(),
});
const metric = z.object({ name: z.string(), help: z.string(), type: z.unknown(), values: z.array(value) });
export type Metric = z.output<typeof metric>;

/** The metrics of one worker, and its number in the group, from 1. */
const workerMetrics = z.object({ worker: z.int(), metrics: z.array(metric) });
export type WorkerMetrics = z.output<typeof workerMetrics>;

/** What a worker tells its primary. */
export const toPrimary = z.discriminatedUnion('type', [
  /** It serves. */
  z.object({ type: z.literal('started'), port: z.int() }),
  /** It cannot start, and ends. `reason` is for the person at the terminal. */
  z.object({ type: z.literal('failed'), reason: z.string() }),
  /** Somebody wants to read the metrics of all. */
  z.object({ type: z.literal('askMetrics'), id: z.int() }),
  /** The answer to `measure`: its own metrics. */
  z.object({ type: z.literal('measured'), id: z.int(), metrics: z.array(metric) }),
]);
export type ToPrimary = z.output<typeof toPrimary>;

/** What the primary tells a worker. */
export const toWorker = z.discriminatedUnion('type', [
  /** Its own metrics are wanted. */
  z.object({ type: z.literal('measure'), id: z.int() }),
  /** The answer to `askMetrics`: the metrics of every worker that gave them in time. */
  z.object({ type: z.literal('metrics'), id: z.int(), workers: z.array(workerMetrics) }),
]);
export type ToWorker = z.output<typeof toWorker>;
