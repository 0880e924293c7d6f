import type { Transaction } from 'sequelize';
import type { Conversation } from '../../db/models/conversation.ts';
import type { Database } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';
import { type NewMessage, type WrittenMessage, writeWithin } from '../messages/writeMessages.ts';
import { requireMember } from './membership.ts';

/** A message of a group that tells of a change of it. */
export const notification = (message: { groupId: string; messageId: string; senderId: string; content: string }): NewMessage => ({
  conversationId: message.groupId,
  messageId: message.messageId,
  senderId: message.senderId,
  receiverId: null,
  content: message.content,
  replyToId: null,
  notification: true,
});

/**
 * Writes a notification into its locked group. The id of an ordinary message is no repeat: nothing of the group was changed with it.
 * @throws {AppError} `message_id_taken`, and as `writeWithin`
 */
export async function writeNotification(
  database: Database,
  group: Conversation,
  message: NewMessage,
  transaction: Transaction,
): Promise<WrittenMessage> {
  const { conversationId, messageId, senderId } = message;
  const written = await writeWithin(transaction, database, message);
  const where = { conversationId, id: messageId, notification: true };
  if (written.repeated && (await database.messages.count({ where, transaction })) === 0) {
    await requireMember(database, group, senderId, transaction);
    throw new AppError('message_id_taken');
  }
  return written;
}
