import type { Transaction } from 'sequelize';
import type { z } from 'zod';
import type { Member } from '../../db/models/member.ts';
import type { Message } from '../../db/models/message.ts';
import { AppError } from '../../errors.ts';
import type { Context } from '../../operation.ts';
import { groupTopic, userTopic } from '../../realtime/topics.ts';
import { requireAccount } from '../auth/accounts.ts';
import type { NamedConversation } from './conversation.ts';
import { isRecent } from './recent.ts';
import type { changedPlace } from './rows.ts';

/** A message that may be changed, and who wants to change it. */
export interface Target {
  message: Message;
  member: Member;
}

/** What of a message is stored anew. */
export type Change = Partial<Pick<Message, 'content' | 'editedAt' | 'deletedAt' | 'reactions'>>;

/** A message after it was changed, or as it was already. */
export interface Changed {
  message: Message;
  place: z.output<typeof changedPlace>;
  isChanged: boolean;
  /** Whether the other person of the dialog has deleted it, and so hears nothing of it. */
  isHidden: boolean;
}

/**
 * Changes a message while nobody else can write into its conversation; the change takes the conversation's next `rev`.
 * `decide` returns what is to be stored, or undefined when all is as it should be already: then, of a message that was changed lately, a change
 * may have been asked for again whose event was lost, and who is concerned is told to catch up.
 * @throws {AppError} `not_a_member` for a group that is not the user's, `no_such_message` for one that the user cannot see, `unauthorized`
 * when the user's account is deleted, and what `decide` throws
 */
export async function changeMessage(
  context: Context,
  conversation: NamedConversation,
  messageId: string,
  decide: (target: Target, transaction: Transaction) => Promise<Change | undefined> | Change | undefined,
): Promise<Changed> {
  const { database } = context.services;
  const work = async (transaction: Transaction): Promise<Changed> => {
    const { isHidden, ...found } = await lock(context, conversation, messageId, transaction);
    const { message } = found;
    const change = await decide(found, transaction);
    if (change) {
      const rev = String(Number(found.conversation.lastRev) + 1);
      await found.conversation.update({ lastRev: rev }, { transaction });
      await message.update({ ...change, rev, updatedAt: new Date() }, { transaction });
    }
    const place = { messageId, seq: Number(message.seq), rev: Number(message.rev) };
    return { message, place, isChanged: change !== undefined, isHidden };
  };
  const turn = { conversationId: conversation.conversationId, userId: context.userId };
  const changed = await database.changeConversation(turn, work, () => requestCatchUp(context, conversation));
  if (!changed.isChanged && isRecent(changed.message.updatedAt)) requestCatchUp(context, conversation);
  return changed;
}

/** @throws {AppError} `not_a_member`, `no_such_message` or `unauthorized` */
async function lock({ userId, services: { database } }: Context, named: NamedConversation, messageId: string, transaction: Transaction) {
  const { conversationId, kind, companionId } = named;
  const where = { id: conversationId, kind };
  const conversation = await database.conversations.findOne({ where, lock: transaction.LOCK.UPDATE, transaction });
  if (kind === 'dialog') await requireAccount(database, userId, transaction);
  const userIds = companionId === null ? [userId] : [userId, companionId];
  const members = conversation ? await database.members.findAll({ where: { conversationId, userId: userIds }, transaction }) : [];
  const member = members.find((one) => one.userId === userId);
  if (!conversation || !member) throw new AppError(kind === 'group' ? 'not_a_member' : 'no_such_message');
  const message = await database.messages.findOne({ where: { conversationId, id: messageId }, transaction });
  if (!message || isCleared(message, member)) throw new AppError('no_such_message');
  return { conversation, member, message, isHidden: members.some((one) => isCleared(message, one)) };
}

const isCleared = ({ seq }: Message, { clearedSeq }: Member): boolean => Number(seq) <= Number(clearedSeq);

function requestCatchUp({ userId, services: { publisher } }: Context, { companionId, groupId }: NamedConversation): void {
  const topics = groupId === null ? [userTopic(companionId), userTopic(userId)] : [groupTopic(groupId)];
  for (const topic of new Set(topics)) publisher.requestCatchUp(topic);
}
