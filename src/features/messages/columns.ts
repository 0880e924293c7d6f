import type { z } from 'zod';
import { type messageRow, QUOTED_LENGTH } from './rows.ts';

/** Whose view it is, in the words of a query: the user's id, and the `seq` up to which the user has deleted the conversation. */
interface Viewer {
  userId: string;
  clearedSeq: string;
}

/**
 * The columns `changes` of a row, of a `message`. Most messages answer none and have no reactions: for those nothing is looked up.
 * A message that the viewer has deleted is shown as a deleted one where another answers it.
 */
export const changeColumns = ({ userId, clearedSeq }: Viewer): string => `
    message.edited_at AS "editedAt", message.deleted_at AS "deletedAt",
    CASE WHEN message.reply_to_id IS NOT NULL THEN (
      SELECT jsonb_build_object('messageId', quoted.id, 'senderName', author.first_name,
        'content', CASE WHEN quoted.seq <= ${clearedSeq} THEN '' ELSE left(quoted.content, ${QUOTED_LENGTH}) END,
        'deleted', quoted.deleted_at IS NOT NULL OR quoted.seq <= ${clearedSeq})
      FROM messages quoted JOIN users author ON author.id = quoted.sender_id
      WHERE quoted.conversation_id = message.conversation_id AND quoted.id = message.reply_to_id
    ) END AS "replyTo",
    CASE WHEN message.reactions IS NULL THEN '[]'::jsonb ELSE (
      SELECT jsonb_agg(reaction.counted || jsonb_build_object('mine', EXISTS (
          SELECT FROM reactions mine
          WHERE mine.conversation_id = message.conversation_id AND mine.message_id = message.id AND mine.user_id = ${userId}
            AND mine.emoji = reaction.counted ->> 'emoji'
        )) ORDER BY reaction.place)
      FROM jsonb_array_elements(message.reactions) WITH ORDINALITY AS reaction (counted, place)
    ) END AS reactions`;

/** A message with the names of the people in it, as of now. In a group nobody is its receiver. */
export type HistoryRow = Omit<z.output<typeof messageRow>, 'companionId' | 'groupId' | 'notification'> & { notification: boolean };

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

/** How far a member has read a conversation: what the member wrote, or has deleted, is read. Of rows of both tables, under these names. */
export const readMark = (member: string, conversation: string): string =>
  `greatest(${member}.cleared_seq, ${readByOthers(member, conversation)})`;

/** The same, as others may know it: what a member has deleted unread is nobody else's business. */
export const readByOthers = (member: string, conversation: string): string => `greatest(${member}.read_seq, CASE
      WHEN ${member}.companion_id IS NULL THEN 0
      WHEN ${member}.user_id <= ${member}.companion_id THEN ${conversation}.lower_sent_seq
      ELSE ${conversation}.higher_sent_seq
    END)`;

/** The most that is told of unread messages. */
const MAX_UNREAD = 999;

/** How many messages a member has not read. */
export const unreadCount = (member: string, conversation: string): string => unreadAfter(readMark(member, conversation), conversation);

/** The same for a mark. What one wrote oneself is read, so all after the mark are of others: nothing is counted. */
export const unreadAfter = (mark: string, conversation: string): string =>
  `least(greatest(${conversation}.last_seq - ${mark}, 0), ${MAX_UNREAD})::int`;
