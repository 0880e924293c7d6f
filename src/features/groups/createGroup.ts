import type { Transaction } from 'sequelize';
import { z } from 'zod';
import { searchTextOf } from '../../db/searchText.ts';
import type { Env } from '../../env.ts';
import { AppError } from '../../errors.ts';
import type { Context } from '../../operation.ts';
import { groupName, id, messageText } from '../../schemas.ts';
import { isGroupId } from '../messages/dialogId.ts';
import { writeWithin } from '../messages/writeMessages.ts';
import { isMember } from './membership.ts';
import { notification } from './notification.ts';

export const newGroup = ({ MAX_MESSAGE_LENGTH }: Env) =>
  z.strictObject({
    groupId: id.refine(isGroupId, 'must be a UUID whose variant is not reserved'),
    groupName,
    notificationMessage: messageText(MAX_MESSAGE_LENGTH),
    messageId: id,
  });

/**
 * Creates a group that I own, with its first notification. The same again changes nothing.
 * @throws {AppError} `group_id_taken` when the id is somebody else's, or was a group that has been dropped
 */
export async function createGroup(
  { userId, services: { database, hub } }: Context,
  { groupId, groupName: name, notificationMessage: content, messageId }: z.output<ReturnType<typeof newGroup>>,
): Promise<void> {
  const create = async (transaction: Transaction): Promise<boolean> => {
    const draft = { id: groupId, kind: 'group', name, searchText: searchTextOf([name]), creatorId: userId };
    await database.conversations.bulkCreate([draft], { ignoreDuplicates: true, transaction });
    const group = await database.conversations.findByPk(groupId, { lock: transaction.LOCK.UPDATE, transaction });
    if (group?.creatorId !== userId || group.deletedAt) throw new AppError('group_id_taken');
    if (group.lastSeq !== '0') return isMember(database, group, userId, transaction);
    await database.members.create({ conversationId: groupId, userId, role: 'owner' }, { transaction });
    await group.update({ memberCount: 1 }, { transaction });
    await writeWithin(transaction, database, notification({ groupId, messageId, senderId: userId, content }));
    return true;
  };
  if (await database.change(create, () => hub.reconnect(userId))) hub.joinGroup(userId, groupId);
}
