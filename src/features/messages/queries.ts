import type { Database, Statement } from '../../db/sequelize.ts';
import { type HistoryRow, MESSAGE, PEOPLE } from './columns.ts';

interface Page {
  conversationId: string;
  /** Whose view of the conversation it is. */
  userId: string;
  kind: 'dialog' | 'group';
  /** Only what is older than this; null for the newest. */
  before: Date | null;
  limit: number;
}

/** The member's row comes first, so that one query tells an empty conversation from one that is not the user's. */
const PAGE: Statement = {
  name: 'history',
  text: `
  SELECT conversation.name AS "groupName",${MESSAGE}
  FROM members me
  JOIN conversations conversation ON conversation.id = me.conversation_id
  LEFT JOIN LATERAL (
    SELECT * FROM messages
    WHERE conversation_id = me.conversation_id AND created_at > me.cleared_at AND created_at < coalesce($4::timestamptz, 'infinity')
    ORDER BY created_at DESC
    LIMIT $5
  ) message ON true${PEOPLE}
  WHERE me.conversation_id = $1 AND me.user_id = $2 AND conversation.kind = $3
  ORDER BY message.created_at DESC`,
};

/** A page of a conversation as the user may see it, newest first; undefined when the user is not in it. */
export async function historyPage(database: Database, page: Page): Promise<HistoryRow[] | undefined> {
  const { conversationId, userId, kind, before, limit } = page;
  const rows = await database.run<HistoryRow | { messageId: null }>(PAGE, [conversationId, userId, kind, before, limit]);
  if (rows.length === 0) return undefined;
  return rows.filter((row): row is HistoryRow => row.messageId !== null);
}
