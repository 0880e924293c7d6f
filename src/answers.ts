import { z } from 'zod';

/** A time; ISO 8601 UTC with milliseconds once it is JSON. */
export const time = z.date();

/** An id, as it is answered: lower-cased. */
export const knownId = z.guid();

/** Where a message stands in its conversation: its number, that of the conversation's change that wrote it last, and its time. */
export const place = z.object({ seq: z.int(), rev: z.int(), createdAt: z.iso.datetime({ precision: 3 }) });
export type Place = z.output<typeof place>;

/** Answers with neither a thing nor a page. */
export const nothing = z.object({ item: z.null(), data: z.null() });

/** Answers with one thing. */
export const one = <Item extends z.ZodType>(item: Item) => z.object({ item, data: z.null() });

/** Answers with rows, and with what is to be said of all of them, if there is anything. */
export const pageOf = <Row extends z.ZodType>(row: Row) => z.object({ item: z.null(), data: z.array(row) });
export const pageWith = <Row extends z.ZodType, Item extends z.ZodType>(row: Row, item: Item) => z.object({ item, data: z.array(row) });

/** What a page says of all its rows where another one follows: the `cursor` to ask for it with, null after the last one. */
export const nextCursor = z.object({ nextCursor: z.string().nullable() });

/** Answers a request that stores a message. */
export const sent = <Item extends z.ZodType>(item: Item) => z.object({ item, data: z.null(), place });
