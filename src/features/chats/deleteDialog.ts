import type { Transaction } from 'sequelize';
import type { Context } from '../../operation.ts';
import { userTopic } from '../../realtime/topics.ts';
import { dialogId } from '../messages/dialogId.ts';

/**
 * Hides all that the dialog holds up to now from me alone, and tells my connections to catch up. Where there is no dialog there is nothing
 * to hide.
 */
export async function deleteDialog({ userId, services: { database, publisher } }: Context, companionId: string): Promise<void> {
  const conversationId = dialogId(userId, companionId);
  const hide = async (transaction: Transaction) => {
    const where = { id: conversationId, kind: 'dialog' };
    const dialog = await database.conversations.findOne({ where, lock: transaction.LOCK.UPDATE, transaction });
    if (!dialog) return;
    const mark = { clearedSeq: dialog.lastSeq, clearedAt: dialog.lastMessageAt };
    await database.members.update(mark, { where: { conversationId, userId }, transaction });
  };
  const requestCatchUp = () => publisher.requestCatchUp(userTopic(userId));
  await database.changeConversation({ conversationId, userId }, hide, requestCatchUp);
  requestCatchUp();
}
