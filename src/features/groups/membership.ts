import type { Transaction } from 'sequelize';
import type { Conversation } from '../../db/models/conversation.ts';
import type { Database } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';
import type { Services } from '../../operation.ts';

interface GroupChange {
  groupId: string;
  /** Whose place in the group changes. When nobody can say whether it has, that user's connections are to come again. */
  userId: string;
}

/**
 * Runs `change` while nobody else can change who is in the group or write into it. It may be a dropped group, which has no members.
 * @throws {AppError} `not_a_member` when there is no such group
 */
export function changeGroup<T>(
  { database, hub }: Services,
  { groupId, userId }: GroupChange,
  change: (group: Conversation, transaction: Transaction) => Promise<T>,
): Promise<T> {
  const changed = async (transaction: Transaction) => {
    const where = { id: groupId, kind: 'group' };
    const group = await database.conversations.findOne({ where, lock: transaction.LOCK.UPDATE, transaction });
    if (!group) throw new AppError('not_a_member');
    return change(group, transaction);
  };
  return database.change(changed, () => hub.reconnect(userId));
}

/**
 * Makes a user a member of a locked group.
 * @throws {AppError} `already_a_member` or `no_such_user`
 */
export async function admitMember(database: Database, group: Conversation, userId: string, transaction: Transaction): Promise<void> {
  if (await isMember(database, group, userId, transaction)) throw new AppError('already_a_member');
  // The lock makes an account that is being deleted either leave this group too, or be gone already.
  const user = await database.users.findOne({ where: { id: userId, deletedAt: null }, lock: transaction.LOCK.SHARE, transaction });
  if (!user) throw new AppError('no_such_user');
  // What was written before is history, and not unread.
  await database.members.create({ conversationId: group.id, userId, readSeq: group.lastSeq }, { transaction });
  await group.update({ memberCount: group.memberCount + 1 }, { transaction });
}

/** Whether the user is a member of a locked group. */
export async function isMember(database: Database, { id }: Conversation, userId: string, transaction: Transaction): Promise<boolean> {
  return (await database.members.count({ where: { conversationId: id, userId }, transaction })) > 0;
}

/** Takes a member out of a locked group. An owner is followed by the longest-standing member; a group without members is dropped. */
export async function removeMember(database: Database, group: Conversation, userId: string, transaction: Transaction): Promise<void> {
  const conversationId = group.id;
  const count = await database.members.destroy({ where: { conversationId, userId }, transaction });
  await group.update({ memberCount: group.memberCount - count }, { transaction });
  const order = [
    ['joinedAt', 'ASC'],
    ['userId', 'ASC'],
  ] satisfies [string, string][];
  const eldest = await database.members.findOne({ where: { conversationId }, order, transaction });
  if (!eldest) await group.update({ deletedAt: new Date() }, { transaction });
  else if (!(await database.members.count({ where: { conversationId, role: 'owner' }, transaction })))
    await eldest.update({ role: 'owner' }, { transaction });
}
