import type { Database, Statement } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';
import { readMark, unreadAfter } from '../messages/columns.ts';
import type { NamedConversation } from '../messages/conversation.ts';

/** A message that a user has read, with all before it. */
export interface Reading {
  seq: number;
  readAt: Date;
  unreadCount: number;
  /** Whether the user had not read it before. */
  isNews: boolean;
  memberCount: number;
  /** Whether the other person of the dialog has deleted it, and so hears nothing of it. */
  isHidden: boolean;
  /** Who wrote it; null when that is nobody in the conversation any more. */
  senderId: string | null;
}

/** What is returned for a member. */
type Row = (Reading | { seq: null }) & { isActive: boolean };

/**
 * No lock but that of the user's own place: who reads waits for nobody who writes, and of two marks that are set at once the later one stays.
 * No index holds the mark, so the row is changed where it lies.
 */
const MARK_READ: Statement = {
  name: 'mark_read',
  text: `
  WITH target AS (
    SELECT me.user_id, conversation.member_count, message.seq, message.sender_id,
      account.is_active, coalesce(message.seq <= companion.cleared_seq, false) AS is_hidden,
      account.is_active AND message.seq > ${readMark('me', 'conversation')} AS is_ahead,
      ${unreadAfter(`greatest(message.seq, ${readMark('me', 'conversation')})`, 'conversation')} AS unread_count
    FROM members me
    JOIN conversations conversation ON conversation.id = me.conversation_id
    CROSS JOIN LATERAL (SELECT deleted_at IS NULL AS is_active FROM users WHERE id = me.user_id LIMIT 1) account
    LEFT JOIN messages message ON message.conversation_id = me.conversation_id AND message.id = $4 AND message.seq > me.cleared_seq
    LEFT JOIN LATERAL (
      SELECT cleared_seq FROM members WHERE conversation_id = me.conversation_id AND user_id = me.companion_id LIMIT 1
    ) companion ON true
    WHERE me.conversation_id = $1 AND me.user_id = $2 AND conversation.kind = $3
  ), moved AS (
    UPDATE members SET read_seq = target.seq FROM target
    WHERE members.conversation_id = $1 AND members.user_id = $2 AND members.read_seq < target.seq AND target.is_ahead
    RETURNING members.read_seq
  )
  SELECT target.seq::float8 AS seq, now() AS "readAt", target.unread_count AS "unreadCount", target.member_count AS "memberCount",
    EXISTS (SELECT FROM moved) AS "isNews", target.is_active AS "isActive", target.is_hidden AS "isHidden",
    (SELECT user_id FROM members WHERE conversation_id = $1 AND user_id = target.sender_id LIMIT 1) AS "senderId"
  FROM target`,
};

/**
 * Moves the user's mark to a message, never back. Undefined when the user is not in the conversation, and null when it holds no such message
 * that the user may see.
 * @throws {AppError} `unauthorized` when the account is deleted, whose place in dialogs stays
 */
export async function setReadMark(
  database: Database,
  userId: string,
  { conversationId, kind }: NamedConversation,
  messageId: string,
): Promise<Reading | null | undefined> {
  const [row] = await database.run<Row>(MARK_READ, [conversationId, userId, kind, messageId]);
  if (row?.isActive === false) throw new AppError('unauthorized');
  return row?.seq === null ? null : row;
}
