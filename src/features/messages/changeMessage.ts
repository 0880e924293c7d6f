import type { Transaction } from 'sequelize';
import type { Member } from '../../db/models/member.ts';
import type { Message } from '../../db/models/message.ts';
import { AppError } from '../../errors.ts';
import type { Context } from '../../operation.ts';
import { groupTopic, userTopic } from '../../realtime/topics.ts';
import type { NamedConversation } from './conversation.ts';

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
  isChanged: boolean;
}

/**
 * Changes a message while nobody else can write into its conversation; the change takes the conversation's next `rev`.
 * `decide` returns what is to be stored, or undefined when all is as it should be already: then a change may have been asked for again whose
 * event was lost, and who is concerned is told to catch up.
 * @throws {AppError} `not_a_member` for a group that is not the user's, `no_such_message` for one that the user cannot see, and what `decide` throws
 */
export async function changeMessage(
  context: Context,
  conversation: NamedConversation,
  messageId: string,
  decide: (target: Target, transaction: Transaction) => Promise<Change | undefined> | Change | undefined,
): Promise<Changed> {
  const { database } = context.services;
  const work = async (transaction: Transaction): Promise<Changed> => {
    const found = await lock(context, conversation, messageId, transaction);
    const change = await decide(found, transaction);
    if (!change) return { message: found.message, isChanged: false };
    const rev = String(Number(found.conversation.lastRev) + 1);
    await found.conversation.update({ lastRev: rev }, { transaction });
    await found.message.update({ ...change, rev, updatedAt: new Date() }, { transaction });
    return { message: found.message, isChanged: true };
  };
  const changed = await database.change(work, () => doubt(context, conversation));
  if (!changed.isChanged) doubt(context, conversation);
  return changed;
}

/** @throws {AppError} `not_a_member` or `no_such_message` */
async function lock({ userId, services: { database } }: Context, named: NamedConversation, messageId: string, transaction: Transaction) {
  const { conversationId, kind } = named;
  const where = { id: conversationId, kind };
  const conversation = await database.conversations.findOne({ where, lock: transaction.LOCK.UPDATE, transaction });
  const member = conversation && (await database.members.findOne({ where: { conversationId, userId }, transaction }));
  if (!member) throw new AppError(kind === 'group' ? 'not_a_member' : 'no_such_message');
  const message = await database.messages.findOne({ where: { conversationId, id: messageId }, transaction });
  if (!message || Number(message.seq) <= Number(member.clearedSeq)) throw new AppError('no_such_message');
  return { conversation, member, message };
}

function doubt({ userId, services: { hub } }: Context, { companionId, groupId }: NamedConversation): void {
  hub.doubt(groupId === null ? userTopic(companionId ?? userId) : groupTopic(groupId), userId);
}
