import type { Database, Statement } from '../../db/sequelize.ts';
import { type HistoryRow, MESSAGE, PEOPLE } from '../messages/columns.ts';
import type { Address } from '../messages/conversation.ts';

/** Where a message stands in the order of a search: newest first, and by conversation where times are equal. There need not be one. */
export interface Place {
  at: Date;
  conversationId: string;
}

interface Search {
  /** Whose conversations, as the user sees them. */
  userId: string;
  text: string;
  /** The only conversation that is searched; null for all. */
  conversationId: string | null;
  /** Only what comes after this place; null for the newest. */
  after: Place | null;
  limit: number;
}

/** A message that was found, and the conversation as the user knows it. */
export type FoundMessage = HistoryRow & Address;

type Row = Place & { isNext: boolean } & (FoundMessage | { messageId: null });

/** The last row may be none that was found, but the place to go on from. */
const SEARCH: Statement = {
  name: 'search_messages',
  text: `
  SELECT found.is_next AS "isNext", found.conversation_id AS "conversationId", found.created_at AS at,
    me.companion_id AS "companionId", CASE WHEN me.companion_id IS NULL THEN found.conversation_id END AS "groupId",
    conversation.name AS "groupName",${MESSAGE}
  FROM search_messages($1, $2, $3, coalesce($4::timestamptz, 'infinity'), $5, $6) found
  LEFT JOIN LATERAL (
    SELECT * FROM messages WHERE NOT found.is_next AND conversation_id = found.conversation_id AND created_at = found.created_at LIMIT 1
  ) message ON true
  LEFT JOIN LATERAL (SELECT * FROM members WHERE conversation_id = message.conversation_id AND user_id = $1 LIMIT 1) me ON true
  LEFT JOIN conversations conversation ON conversation.id = message.conversation_id${PEOPLE}
  ORDER BY found.is_next, found.created_at DESC, found.conversation_id DESC`,
};

/**
 * Messages of the user's conversations that have all the words of `text`, newest first, and the place after which there may be more;
 * null when there are none. There may be less than `limit`, even nothing, and more after it: what one page costs is bounded.
 */
export async function findMessages(database: Database, search: Search): Promise<{ found: FoundMessage[]; next: Place | null }> {
  const { userId, text, conversationId, after, limit } = search;
  const rows = await database.run<Row>(SEARCH, [userId, text, conversationId, after?.at, after?.conversationId, limit]);
  const found = rows.filter((row): row is Row & FoundMessage => row.messageId !== null);
  return { found, next: rows.find(({ isNext }) => isNext) ?? null };
}
