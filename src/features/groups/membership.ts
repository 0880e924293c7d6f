import { Op, type Transaction } from 'sequelize';
import type { Conversation } from '../../db/models/conversation.ts';
import type { Member } from '../../db/models/member.ts';
import type { Database } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';
import type { Context } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';

export { removeMember } from './queries.ts';

/**
 * Keeps these accounts from being deleted until the transaction ends, and returns the ids of those that exist. All else of them may change.
 * Accounts are held before any conversation and in the order of ids, as by who deletes one: so nobody waits in a circle.
 */
export async function holdAccounts(database: Database, userIds: string[], transaction: Transaction): Promise<Set<string>> {
  const where = { id: { [Op.in]: userIds }, deletedAt: null };
  const users = await database.users.findAll({ where, attributes: ['id'], order: ['id'], lock: transaction.LOCK.KEY_SHARE, transaction });
  return new Set(users.map(({ id }) => id));
}

/**
 * The group, into which nobody else can write, and of which nobody else can change anything, until the transaction ends.
 * It may be a dropped one, which has no members.
 * @throws {AppError} `not_a_member` when there is no such group
 */
export async function lockGroup(database: Database, groupId: string, transaction: Transaction): Promise<Conversation> {
  const where = { id: groupId, kind: 'group' };
  const group = await database.conversations.findOne({ where, lock: transaction.LOCK.UPDATE, transaction });
  if (!group) throw new AppError('not_a_member');
  return group;
}

interface GroupChange {
  groupId: string;
  /** Whose place in the group changes. When nobody can say whether it has, that user's connections are to come again, and the others to catch up. */
  userId: string;
}

/**
 * Runs `change` with the group locked.
 * @throws {AppError} `not_a_member` when there is no such group
 */
export function changeGroup<T>(
  { userId: askerId, services: { database, publisher } }: Context,
  { groupId, userId }: GroupChange,
  change: (group: Conversation, transaction: Transaction) => Promise<T>,
): Promise<T> {
  const changed = async (transaction: Transaction) => change(await lockGroup(database, groupId, transaction), transaction);
  return database.changeConversation({ conversationId: groupId, userId: askerId }, changed, () => {
    publisher.reconnect(userId);
    publisher.requestCatchUp(groupTopic(groupId));
  });
}

interface Newcomer {
  userId: string;
  /** Of `holdAccounts`. */
  accounts: ReadonlySet<string>;
}

/**
 * Makes a user whose account is held a member of a locked group.
 * @throws {AppError} `already_a_member` or `no_such_user`
 */
export async function admitMember(
  database: Database,
  group: Conversation,
  { userId, accounts }: Newcomer,
  transaction: Transaction,
): Promise<void> {
  if (await findMember(database, group, userId, transaction)) throw new AppError('already_a_member');
  if (!accounts.has(userId)) throw new AppError('no_such_user');
  // What was written before is history, and not unread.
  await database.members.create({ conversationId: group.id, userId, readSeq: group.lastSeq }, { transaction });
  await group.update({ memberCount: group.memberCount + 1 }, { transaction });
}

/** The user's place in a locked group; null when the user is not a member. */
export function findMember(database: Database, { id }: Conversation, userId: string, transaction: Transaction): Promise<Member | null> {
  return database.members.findOne({ where: { conversationId: id, userId }, transaction });
}

/**
 * The same of who must be a member.
 * @throws {AppError} `not_a_member`
 */
export async function requireMember(database: Database, group: Conversation, userId: string, transaction: Transaction): Promise<Member> {
  const member = await findMember(database, group, userId, transaction);
  if (!member) throw new AppError('not_a_member');
  return member;
}
