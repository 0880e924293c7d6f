import type { Transaction } from 'sequelize';
import { z } from 'zod';
import { one } from '../../answers.ts';
import type { Message } from '../../db/models/message.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { id } from '../../schemas.ts';
import { announce } from '../messages/announce.ts';
import { changeMessage, type Target } from '../messages/changeMessage.ts';
import { conversationName, conversationOf } from '../messages/conversation.ts';
import { changedPlace, reactionCount } from '../messages/rows.ts';
import { emoji } from './emoji.ts';

/** Different reactions that a message may have. */
const MAX_DIFFERENT = 20;
/** Who gave so many of them adds no other: nobody alone keeps the others from theirs. */
const MAX_OWN = 10;

type Counts = NonNullable<Message['reactions']>;

/** Gives a reaction or takes it back, and answers with all that the message has then. Everybody in the conversation is told. */
const reaction = (isAdded: boolean) =>
  operation({
    exclusive: true,
    params: conversationName.safeExtend({ messageId: id, emoji }),
    answer: one(changedPlace.extend({ reactions: z.array(reactionCount) })),
    async handle(context, { messageId, emoji, ...name }) {
      const { userId, services } = context;
      const given = services.database.reactions;
      const conversation = conversationOf(userId, name);
      const mine = { conversationId: conversation.conversationId, messageId, userId };
      let before: string[] = [];
      const react = async ({ message }: Target, transaction: Transaction) => {
        if (message.deletedAt) throw new AppError('no_such_message');
        before = (await given.findAll({ where: mine, transaction })).map((one) => one.emoji);
        if (before.includes(emoji) === isAdded) return undefined;
        if (isAdded) requireRoom(message, emoji, before.length);
        const reactions = countsAfter(message.reactions ?? [], emoji, isAdded);
        if (isAdded) await given.create({ ...mine, emoji }, { transaction });
        else await given.destroy({ where: { ...mine, emoji }, transaction });
        return { reactions };
      };
      const { message, place, isChanged, isHidden } = await changeMessage(context, conversation, messageId, react);
      const reactions = message.reactions ?? [];
      const news = { ...place, userId, emoji, isAdded, reactions };
      if (isChanged) announce(context, conversation, 'reactionsChanged', (address) => ({ ...address, ...news }), isHidden);
      const isMine = (one: string) => (one === emoji ? isAdded : before.includes(one));
      return { item: { ...place, reactions: reactions.map((one) => ({ ...one, mine: isMine(one.emoji) })) }, data: null };
    },
  });

/** `addReaction` */
export const addReaction = reaction(true);
/** `removeReaction` */
export const removeReaction = reaction(false);

/** @throws {AppError} `too_many_reactions` when the emoji would be one more than the message may have, or than who gives it may add */
function requireRoom({ reactions }: Message, emoji: string, ownCount: number): void {
  const counts = reactions ?? [];
  const isNew = counts.every((one) => one.emoji !== emoji);
  if (isNew && (counts.length >= MAX_DIFFERENT || ownCount >= MAX_OWN)) throw new AppError('too_many_reactions');
}

/** What a message has when one of its readers has given a reaction, or taken it back. */
function countsAfter(counts: Counts, emoji: string, isAdded: boolean): Counts | null {
  const isKnown = counts.some((one) => one.emoji === emoji);
  const difference = isAdded ? 1 : -1;
  const changed = counts.map((one) => (one.emoji === emoji ? { ...one, count: one.count + difference } : one));
  const left = [...changed, ...(isKnown ? [] : [{ emoji, count: 1 }])].filter(({ count }) => count > 0);
  return left.length > 0 ? left : null;
}
