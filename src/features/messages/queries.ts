import type { z } from 'zod';
import type { Database, Statement } from '../../db/sequelize.ts';
import { changeColumns } from './columns.ts';
import type { messageRow } from './rows.ts';

/** A message with the names of the people in it, as of now. In a group nobody is its receiver. */
export type HistoryRow = Omit<z.output<typeof messageRow>, 'companionId' | 'groupId' | 'notification'> & { notification: boolean };

interface Page {
  conversationId: string;
  /** Whose view of the conversation it is. */
  userId: string;
  kind: 'dialog' | 'group';
  /** Only what is older than this; null for the newest. */
  before: Date | null;
  limit: number;
}

/** The columns of a `HistoryRow`, save `groupName`, that a member, `me`, reads. */
export const MESSAGE = `
    message.id AS "messageId", message.sender_id AS "senderId",
    sender.first_name AS "senderName", sender.last_name AS "senderLastName",
    receiver.id AS "receiverId", receiver.first_name AS "receiverName",
    message.notification, message.content, message.created_at AS "createdAt",
    message.seq::float8 AS seq, message.rev::float8 AS rev,${changeColumns({ userId: 'me.user_id', clearedSeq: 'me.cleared_seq' })}`;

/** Finds the people of a `message` that a member, `me`, reads. */
export const PEOPLE = `
  LEFT JOIN users sender ON sender.id = message.sender_id
  LEFT JOIN users receiver ON receiver.id = CASE WHEN message.sender_id = me.user_id THEN me.companion_id
    WHEN me.companion_id IS NOT NULL THEN me.user_id END`;

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
