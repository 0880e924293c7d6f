import { AppError } from '../../errors.ts';
import type { Context } from '../../operation.ts';
import { cutPage } from '../../paging.ts';
import { groupsOf } from './queries.ts';
import { type GroupDetails, groupDetailsOf } from './rows.ts';

/**
 * A group of mine.
 * @throws {AppError} `not_a_member`
 */
export async function readGroup({ userId, services: { database } }: Context, groupId: string): Promise<GroupDetails> {
  const me = await database.members.findOne({ where: { conversationId: groupId, userId, companionId: null } });
  const group = me && (await database.conversations.findByPk(groupId));
  if (!group) throw new AppError('not_a_member');
  return groupDetailsOf(group, me);
}

/** A page of my groups, in the order of their ids. */
export async function readGroups(
  { userId, services: { database } }: Context,
  limit: number,
  afterId: string | null,
): Promise<{ data: GroupDetails[]; nextCursor: string | null }> {
  return cutPage(await groupsOf(database, userId, afterId, limit + 1), limit, ({ groupId }) => groupId);
}
