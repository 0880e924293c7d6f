import { z } from 'zod';
import { one, time } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { id, messageText } from '../../schemas.ts';
import { announce } from './announce.ts';
import { changeMessage, type Target } from './changeMessage.ts';
import { conversationName, conversationOf } from './conversation.ts';
import { changedPlace } from './rows.ts';

const editedMessage = changedPlace.extend({
  content: z.string(),
  editedAt: time.nullable().describe('Null when the content is what was sent first'),
});

/** `editMessage`: gives a message of mine another content, for some time after it was sent; everybody in the conversation is told. */
export const editMessage = ({ MAX_MESSAGE_LENGTH, EDIT_WINDOW }: Env) =>
  operation({
    exclusive: true,
    params: conversationName.safeExtend({ messageId: id, content: messageText(MAX_MESSAGE_LENGTH) }),
    answer: one(editedMessage),
    async handle(context, { messageId, content, ...name }) {
      const conversation = conversationOf(context.userId, name);
      const editedAt = new Date();
      const edit = ({ message }: Target) => {
        if (message.deletedAt) throw new AppError('no_such_message');
        // What tells of a change of the group may be deleted, but not say something else.
        if (message.senderId !== context.userId || message.notification) throw new AppError('not_the_author');
        if (message.content === content) return undefined;
        if (editedAt.getTime() - message.createdAt.getTime() > EDIT_WINDOW * 1000) throw new AppError('too_late_to_edit');
        return { content, editedAt };
      };
      const { message, place, isChanged, isHidden } = await changeMessage(context, conversation, messageId, edit);
      if (isChanged) announce(context, conversation, 'messageEdited', (address) => ({ ...address, ...place, content, editedAt }), isHidden);
      return { item: { ...place, content, editedAt: message.editedAt }, data: null };
    },
  });
