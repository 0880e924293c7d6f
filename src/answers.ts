import { z } from 'zod';

/** A time; ISO 8601 UTC with milliseconds once it is JSON. */
export const time = z.date();

/** An id, as it is answered: lower-cased. */
export const knownId = z.guid();

/** The number of a message. */
export const seq = z.int().describe('The number of the message in its conversation: 1, 2, 3…');
/** The number of a change. */
export const rev = z
  .int()
  .describe(
    'The number of the change of the conversation that wrote the message last. Of two states of a message the one with the higher `rev` counts',
  );

/** Where a message stands in its conversation. */
export const place = z.object({ seq, rev, createdAt: z.iso.datetime({ precision: 3 }) });
export type Place = z.output<typeof place>;

/** Answers with neither a thing nor a page. */
export const nothing = z.object({ item: z.null(), data: z.null() });

/** Answers with one thing. */
export const one = <Item extends z.ZodType>(item: Item) => z.object({ item, data: z.null() });

/** Answers with rows, and with what is to be said of all of them, if there is anything. */
export const pageOf = <Row extends z.ZodType>(row: Row) => z.object({ item: z.null(), data: z.array(row) });
export const pageWith = <Row extends z.ZodType, Item extends z.ZodType>(row: Row, item: Item) => z.object({ item, data: z.array(row) });

/** What a page says of all its rows where another one follows. */
export const nextCursor = z.object({
  nextCursor: z.string().nullable().describe('What to send as `cursor` for the next page. Null after the last page, and only then'),
});

/** Answers a request that stores a message. */
export const sent = <Item extends z.ZodType>(item: Item) => z.object({ item, data: z.null(), place });
