import type { Database, Statement } from '../../db/sequelize.ts';
import { changeColumns, readByOthers, unreadCount } from '../messages/columns.ts';
import type { ChatRow } from './rows.ts';

/**
 * WITH TIES: a page is longer than its limit rather than cut through chats with an equal time, which the cursor could not tell apart.
 *
 * Of each of the user's chats only the time and the numbers are read, all in one pass over the index, which is what a user with thousands of them waits for;
 * the rest is looked up in order until the page is full. OFFSET 0 and LIMIT 1 keep it so, whatever the planner guesses.
 */
const chats = (name: string, condition: string, order: 'ASC' | 'DESC'): Statement => ({
  name,
  text: `
  SELECT message.id AS "messageId", message.sender_id AS "senderId",
    sender.first_name AS "senderName", sender.last_name AS "senderLastName",
    receiver.id AS "receiverId", receiver.first_name AS "receiverName", receiver.last_name AS "receiverLastName",
    chat.group_id AS "groupId", chat.name AS "groupName",
    message.content, message.created_at AS "createdAt", message.updated_at AS "updatedAt",${changeColumns({ userId: '$1', clearedSeq: 'chat.cleared_seq' })},
    ${unreadCount('chat', 'chat')} AS "unreadCount", 
    CASE WHEN chat.companion_id IS NOT NULL THEN ${readByOthers('companion', 'chat')} END::float8 AS "companionReadSeq",
    CASE WHEN chat.companion_id IS NULL THEN chat.member_count END AS "memberCount", chat.muted, chat.pinned, chat.title,
    chat.last_seq::float8 AS seq, chat.last_rev::float8 AS rev
  FROM (
    SELECT conversation.*, me.user_id, me.companion_id, me.read_seq, me.cleared_seq, me.muted, me.pinned, me.title,
      CASE WHEN me.companion_id IS NULL THEN conversation.id END AS group_id
    FROM (
      SELECT id, name, last_message_at, last_seq, last_rev, lower_sent_seq, higher_sent_seq, member_count FROM conversations
      WHERE id = ANY (ARRAY(SELECT conversation_id FROM members WHERE user_id = $1))
        AND ${condition}
      ORDER BY last_message_at ${order}
      OFFSET 0
    ) conversation
    CROSS JOIN LATERAL (SELECT * FROM members WHERE conversation_id = conversation.id AND user_id = $1 LIMIT 1) me
    WHERE conversation.last_message_at > me.cleared_at
    ORDER BY conversation.last_message_at ${order}
    FETCH FIRST $3 ROWS WITH TIES
  ) chat
  JOIN messages message ON message.conversation_id = chat.id AND message.created_at = chat.last_message_at
  LEFT JOIN LATERAL (
    SELECT user_id, companion_id, read_seq FROM members WHERE conversation_id = chat.id AND user_id = chat.companion_id LIMIT 1
  ) companion ON true
  JOIN users sender ON sender.id = message.sender_id
  LEFT JOIN users receiver ON receiver.id = CASE WHEN message.sender_id = $1 THEN chat.companion_id
    WHEN chat.companion_id IS NOT NULL THEN $1 END
  ORDER BY message.created_at ${order}, chat.id`,
});
const NEWEST_CHATS = chats('chats', "last_message_at < coalesce($2::timestamptz, 'infinity')", 'DESC');
const CHANGED_CHATS = chats('changed_chats', 'last_message_at > $2 AND id <> ALL ($4::uuid[])', 'ASC');

/** The user's chats, the one with the newest message first; `before` is null for the newest page. */
export function chatPage(database: Database, userId: string, before: Date | null, limit: number): Promise<ChatRow[]> {
  return database.run(NEWEST_CHATS, [userId, before, limit]);
}

/** Those of the user's chats whose last message is later than `after`, the oldest one first, without the conversations `except`. */
export function chatsChangedAfter(database: Database, userId: string, after: Date, limit: number, except: string[]): Promise<ChatRow[]> {
  return database.run(CHANGED_CHATS, [userId, after, limit, except]);
}
