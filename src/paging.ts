import { z } from 'zod';

/** Characters of a cursor; one that was given out has less. */
const MAX_LENGTH = 500;
const UNKNOWN = 'must be the nextCursor of an answer';

/**
 * The `cursor` of a list, which clients carry without knowing what it says: the place of a row, as `toCursor` made it. Any other text is refused.
 */
export const opaqueCursor = <Place extends z.ZodType>(place: Place) =>
  z
    .string()
    .max(MAX_LENGTH, UNKNOWN)
    .transform((text, context): z.output<Place> => {
      const { success, data } = place.safeParse(decoded(text));
      if (success) return data;
      context.addIssue({ code: 'custom', message: UNKNOWN, input: text });
      return z.NEVER;
    })
    .describe('The `nextCursor` of the last page; none for the first page');

/** Writes a place for a client to carry. */
export const toCursor = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString('base64url');

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}

/** A page of `limit` rows, of which one more was read where there is one; and the cursor of the next page, which follows the last row. */
export function cutPage<Row>(rows: Row[], limit: number, cursorOf: (row: Row) => string): { data: Row[]; nextCursor: string | null } {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, nextCursor: last && rows.length > limit ? cursorOf(last) : null };
}
