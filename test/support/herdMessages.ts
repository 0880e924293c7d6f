import { z } from 'zod';

/** What the process of a herd tells of itself, now and then. */
export const herdReport = z.object({
  /** Connections that are open. */
  open: z.number(),
  /** How often one was opened. */
  opened: z.number(),
  /** Messages that were received, on all of them. */
  received: z.number(),
});
export type HerdReport = z.output<typeof herdReport>;

/** What it is to do. */
export const herdOrder = z.object({
  /** Of the servers; a connection that ends goes to the next one at once. */
  urls: z.array(z.string()),
  tokens: z.array(z.string()),
  connectionsPerToken: z.number(),
});
export type HerdOrder = z.output<typeof herdOrder>;
