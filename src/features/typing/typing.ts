import { nothing } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { DONE, operation } from '../../operation.ts';
import { conversationName, conversationOf } from '../messages/conversation.ts';
import { requireTypist } from './queries.ts';

/** `startTyping`: I type. It ends by itself, unless I say it again. In the dialog with oneself there is nobody to be told. */
export const startTyping = operation({
  inTurn: true,
  params: conversationName,
  answer: nothing,
  async handle({ userId, connection, services: { typing } }, name) {
    if (!connection) throw new AppError('upgrade_required');
    const conversation = conversationOf(userId, name);
    if (conversation.companionId !== userId) await typing.start(connection, conversation);
    return DONE;
  },
});

/** `stopTyping`: I type no more, on whatever connection of this process it was. */
export const stopTyping = operation({
  inTurn: true,
  params: conversationName,
  answer: nothing,
  async handle({ userId, services: { database, typing } }, name) {
    const conversation = conversationOf(userId, name);
    typing.stop(userId, conversation.conversationId);
    await requireTypist(database, userId, conversation);
    return DONE;
  },
});
