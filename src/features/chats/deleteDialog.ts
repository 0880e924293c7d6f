import type { Context } from '../../operation.ts';
import { dialogId } from '../messages/dialogId.ts';

/** Hides all that the dialog holds up to now from me alone. Where there is no dialog there is nothing to hide. */
export async function deleteDialog({ userId, services: { database } }: Context, companionId: string): Promise<void> {
  await database.transaction(async (transaction) => {
    const where = { id: dialogId(userId, companionId), kind: 'dialog' };
    const dialog = await database.conversations.findOne({ where, lock: transaction.LOCK.UPDATE, transaction });
    if (!dialog) return;
    const mark = { clearedSeq: dialog.lastSeq, clearedAt: dialog.lastMessageAt };
    await database.members.update(mark, { where: { conversationId: dialog.id, userId }, transaction });
  });
}
