import { z } from 'zod';
import { nextCursor } from '../answers.ts';
import { limitOr, queryCursor } from '../schemas.ts';

const DEFAULT_LIMIT = 50;

/** What the query of a page of messages or chats takes; without a cursor it is the newest page. */
export const pageQuery = { limit: limitOr(DEFAULT_LIMIT), cursor: queryCursor };

/** A page, and where the next one begins. */
export const pageBody = <Row extends z.ZodType>(row: Row) => z.object({ data: z.array(row), ...nextCursor.shape });

/** The body of a page that is cut by time: one that is not full is the last. */
export function bodyByTime<Row extends { createdAt: Date }>({ data }: { data: Row[] }, { limit }: { limit: number }) {
  const last = data.at(-1);
  return { data, nextCursor: last && data.length >= limit ? last.createdAt.toISOString() : null };
}
