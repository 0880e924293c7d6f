import type { Transaction } from 'sequelize';
import { one, time } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { id } from '../../schemas.ts';
import { announce } from './announce.ts';
import { changeMessage, type Target } from './changeMessage.ts';
import { conversationName, conversationOf } from './conversation.ts';
import { changedPlace } from './rows.ts';

const deletedMessage = changedPlace.extend({ deletedAt: time });

/**
 * `deleteMessage`: takes back a message of mine, or of anybody in a group where I am the owner or an admin, for everybody.
 * Its row stays, without its content and its reactions.
 */
export const deleteMessage = operation({
  exclusive: true,
  params: conversationName.safeExtend({ messageId: id }),
  answer: one(deletedMessage),
  async handle(context, { messageId, ...name }) {
    const { userId, services } = context;
    const conversation = conversationOf(userId, name);
    const now = new Date();
    const remove = async ({ message, member }: Target, transaction: Transaction) => {
      // Everybody in a dialog is a plain member of it.
      if (message.senderId !== userId && member.role === 'member') throw new AppError('not_the_author');
      if (message.deletedAt) return undefined;
      const { conversationId } = conversation;
      if (message.reactions) await services.database.reactions.destroy({ where: { conversationId, messageId }, transaction });
      return { content: '', deletedAt: now, reactions: null };
    };
    const { message, place, isChanged, isHidden } = await changeMessage(context, conversation, messageId, remove);
    const deletedAt = message.deletedAt ?? now;
    if (isChanged) announce(context, conversation, 'messageDeleted', (address) => ({ ...address, ...place, deletedAt }), isHidden);
    return { item: { ...place, deletedAt }, data: null };
  },
});
