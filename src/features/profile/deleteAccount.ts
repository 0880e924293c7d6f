import { randomUUID } from 'node:crypto';
import { Op, type Transaction } from 'sequelize';
import { DELETED_NAME } from '../../db/models/user.ts';
import type { Database } from '../../db/sequelize.ts';
import type { Context } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { endSessions } from '../auth/sessions.ts';
import { removeMember } from '../groups/membership.ts';
import { notification } from '../groups/notification.ts';
import { announceRole } from '../groups/roles.ts';
import { groupMessageItem, placeOf } from '../messages/presenter.ts';
import { type NewMessage, writeAllWithin } from '../messages/writeMessages.ts';

const FAREWELL = 'left the group';

/**
 * Deletes the caller's account, all or nothing: sessions end, groups are left, the e-mail becomes free,
 * messages stay under the name of a deleted account.
 */
export async function deleteAccount(context: Context): Promise<void> {
  const { userId, services } = context;
  const { database, publisher } = services;
  let farewells: NewMessage[] = [];
  const deletion = async (transaction: Transaction) => {
    // Locked from here on: who adds the user to a group meanwhile waits, and then finds no such user (see `holdAccounts`).
    const user = await database.users.findOne({
      where: { id: userId, deletedAt: null },
      lock: transaction.LOCK.UPDATE,
      transaction,
    });
    if (!user) return [];
    await user.update(DELETED_NAME, { transaction });
    const where = { id: { [Op.in]: await groupIdsOf(database, userId, transaction) } };
    const groups = await database.conversations.findAll({ where, order: ['id'], lock: transaction.LOCK.UPDATE, transaction });
    const current = new Set(await groupIdsOf(database, userId, transaction));
    const left = groups.map(({ id }) => id).filter((id) => current.has(id));
    farewells = left.map((groupId) => notification({ groupId, messageId: randomUUID(), senderId: userId, content: FAREWELL }));
    // Few statements, however many groups: whoever writes into one of them waits meanwhile.
    const written = await writeAllWithin(transaction, database, farewells);
    const heirs = await removeMember(database, left, userId, transaction);
    await user.update({ email: null, passwordHash: null, deletedAt: new Date() }, { transaction });
    await endSessions(database, userId, transaction);
    return written.map((one) => ({ ...one, heirId: heirs.get(one.message.conversationId) }));
  };
  const told = await database.change(deletion, () => {
    publisher.reconnect(userId);
    for (const { conversationId } of farewells) publisher.requestCatchUp(groupTopic(conversationId));
  });
  publisher.revoke(userId);
  for (const { message, written, heirId } of told) {
    const { conversationId: groupId } = message;
    const item = groupMessageItem(message, written, placeOf(written));
    publisher.leaveGroup(userId, item);
    publisher.publish(groupTopic(groupId), 'leaveGroup', item, { exceptUserIds: [userId] });
    if (heirId) announceRole(context, { groupId, userId: heirId, role: 'owner', hasLeft: true });
  }
}

/** The ids of the user's groups. */
async function groupIdsOf(database: Database, userId: string, transaction: Transaction): Promise<string[]> {
  const rows = await database.members.findAll({
    where: { userId, companionId: null },
    attributes: ['conversationId'],
    raw: true,
    transaction,
  });
  return rows.map(({ conversationId }) => conversationId);
}
