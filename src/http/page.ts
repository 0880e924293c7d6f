import { z } from 'zod';
import { nextCursor } from '../answers.ts';
import { limitOr, queryCursor } from '../schemas.ts';

const DEFAULT_LIMIT = 50;

/** What the query of a page of messages or chats takes; without a cursor it is the newest page. */
export const pageQuery = { limit: limitOr(DEFAULT_LIMIT), cursor: queryCursor };

/** A page, and where the next one begins. */
export const pageBody = <Row extends z.ZodType>(row: Row) => z.object({ data: z.array(row), ...nextCursor.shape });

/**
 * The body of a page that is cut by time. `read` reads rows older than `cursorCreatedAt`, the newest first, and more than `limit` only where the
 * last ones have an equal time. It is asked for one row more than the page has, to know whether another page follows.
 */
export async function pageByTime<Row extends { createdAt: Date }>(
  { limit, cursor = null }: { limit: number; cursor?: Date | null | undefined },
  read: (page: { limit: number; cursorCreatedAt: Date | null }) => Promise<{ data: Row[] }>,
): Promise<{ data: Row[]; nextCursor: string | null }> {
  const { data: rows } = await read({ limit: limit + 1, cursorCreatedAt: cursor });
  const last = rows[limit - 1];
  if (!last || rows.length === limit) return { data: rows, nextCursor: null };
  const data = rows.filter(({ createdAt }) => createdAt >= last.createdAt);
  // Where the row that is one too many has the time of the last one it belongs to this page, and says nothing of the next.
  const isMore = data.length < rows.length || (await read({ limit: 1, cursorCreatedAt: last.createdAt })).data.length > 0;
  return { data, nextCursor: isMore ? last.createdAt.toISOString() : null };
}
