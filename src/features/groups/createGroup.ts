import type { Transaction } from 'sequelize';
import { z } from 'zod';
import type { Conversation } from '../../db/models/conversation.ts';
import { searchTextOf } from '../../db/searchText.ts';
import type { Database } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';
import type { Context, Services } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { id } from '../../schemas.ts';
import { isGroupId } from '../messages/dialogId.ts';
import { groupMessageItem, ownMessageItem, placeOf } from '../messages/presenter.ts';
import { isRecent } from '../messages/recent.ts';
import { type NewMessage, type WrittenMessage, writeWithin } from '../messages/writeMessages.ts';
import { holdAccounts } from './membership.ts';
import { notification } from './notification.ts';

/** An id that a group may get. */
export const newGroupId = id
  .refine(isGroupId, 'must be a UUID whose variant is not reserved')
  .describe('Made by the client. The same again, from the same user, makes no other group');

/** People whom one request may put into a group. */
const MAX_GUESTS = 100;

/** Who is in a new group beside its creator. */
export const guests = z
  .array(id)
  .max(MAX_GUESTS, `must be at most ${MAX_GUESTS} users`)
  .default([])
  .describe('Who is in it from the beginning, beside me');

/** A group that is to be made. */
interface Draft {
  groupId: string;
  groupName: string;
  /** Its first notification. */
  messageId: string;
  message: string;
  /** Who is in it from the beginning, beside its creator. */
  userIds: string[];
}

interface Creation {
  group: Conversation;
  /** Undefined when it was created before. */
  written: WrittenMessage | undefined;
  /** The creator and who was named, as far as they are members. */
  memberIds: string[];
}

/**
 * Creates a group that I own, with its first notification, which those who were named receive. The same again changes nothing.
 * Returns the group's name.
 * @throws {AppError} `group_id_taken` when the id is somebody else's, or was a group that has been dropped; `no_such_user` of who is named
 */
export async function createGroup(context: Context, draft: Draft): Promise<string> {
  const { userId, services } = context;
  const guestIds = [...new Set(draft.userIds)].filter((guestId) => guestId !== userId);
  await services.rateLimits.consume('groupMember', userId, 1 + guestIds.length);
  const { groupId, groupName, messageId, message: content } = draft;
  const message = notification({ groupId, messageId, senderId: userId, content });
  const create = (transaction: Transaction) =>
    found(services.database, { name: groupName, userIds: draft.userIds, guestIds, message }, transaction);
  const inDoubt = () => {
    for (const memberId of [userId, ...guestIds]) services.publisher.reconnect(memberId);
  };
  const { group, written, memberIds } = await services.database.changeConversation({ conversationId: groupId, userId }, create, inDoubt);
  if (written) tell(context, message, written, guestIds);
  else if (isRecent(group.createdAt)) repeat(services, groupId, userId, memberIds);
  // Who has left it since is not told what it is called now.
  return memberIds.includes(userId) ? (group.name ?? groupName) : groupName;
}

interface Founding {
  name: string;
  /** As they were named. */
  userIds: string[];
  guestIds: string[];
  message: NewMessage;
}

async function found(database: Database, { name, userIds, guestIds, message }: Founding, transaction: Transaction): Promise<Creation> {
  const { conversationId, senderId: creatorId } = message;
  const accounts = await holdAccounts(database, [creatorId, ...guestIds], transaction);
  const draft = { id: conversationId, kind: 'group', name, searchText: searchTextOf([name]), creatorId };
  await database.conversations.bulkCreate([draft], { ignoreDuplicates: true, transaction });
  const group = await database.conversations.findByPk(conversationId, { lock: transaction.LOCK.UPDATE, transaction });
  if (group?.creatorId !== creatorId || group.deletedAt) throw new AppError('group_id_taken');
  if (group.lastSeq !== '0') {
    const where = { conversationId, userId: [creatorId, ...guestIds] };
    const members = await database.members.findAll({ where, attributes: ['userId'], transaction });
    return { group, written: undefined, memberIds: members.map(({ userId }) => userId) };
  }
  const strangers = guestIds.filter((guestId) => !accounts.has(guestId));
  const issues = strangers.map((stranger) => ({ path: `userIds.${userIds.indexOf(stranger)}`, message: 'is no user' }));
  if (issues.length > 0) throw new AppError('no_such_user', { issues });
  const now = Date.now();
  const owner = { conversationId, userId: creatorId, role: 'owner', joinedAt: new Date(now) };
  // Later than the owner, who is the longest-standing.
  const guests = guestIds.map((userId) => ({ conversationId, userId, joinedAt: new Date(now + 1) }));
  await database.members.bulkCreate([owner, ...guests], { transaction });
  await group.update({ memberCount: 1 + guests.length }, { transaction });
  return { group, written: await writeWithin(transaction, database, message), memberIds: [creatorId, ...guestIds] };
}

function tell(
  { userId, connection, services: { publisher } }: Context,
  message: NewMessage,
  written: WrittenMessage,
  guestIds: string[],
): void {
  const item = groupMessageItem(message, written, placeOf(written));
  publisher.joinGroup(userId, item);
  for (const guestId of guestIds) publisher.joinGroup(guestId, item, item);
  publisher.publishOwn(userId, connection, 'addUserInGroup', () => ownMessageItem(item, message, written));
}

/** The process that created it may have ended before it told anybody. */
function repeat({ publisher }: Services, groupId: string, userId: string, memberIds: string[]): void {
  for (const memberId of memberIds) publisher.refresh(memberId);
  publisher.requestCatchUp(groupTopic(groupId), userId);
}
