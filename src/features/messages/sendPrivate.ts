import { z } from 'zod';
import { sent } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { operation } from '../../operation.ts';
import { userTopic } from '../../realtime/topics.ts';
import { id, messageText, newMessageId, replyToId } from '../../schemas.ts';
import { dialogId } from './dialogId.ts';
import { ownMessageItem, placeOf, privateMessageItem } from './presenter.ts';
import { isRecent } from './recent.ts';

/** `privateMessage`: stores a message in the dialog with the receiver and tells the receiver's connections. */
export const sendPrivate = ({ MAX_MESSAGE_LENGTH }: Env) =>
  operation({
    params: z.strictObject({ messageId: newMessageId, receiverId: id, content: messageText(MAX_MESSAGE_LENGTH), replyToId }),
    answer: sent(z.null()),
    async handle({ userId, connection, services: { writer, publisher } }, { messageId, receiverId, content, replyToId }) {
      const conversationId = dialogId(userId, receiverId);
      const message = {
        conversationId,
        messageId,
        senderId: userId,
        receiverId,
        content,
        replyToId: replyToId ?? null,
        notification: false,
      };
      const written = await writer.send(message);
      const place = placeOf(written);
      if (written.repeated) {
        if (isRecent(written.createdAt)) publisher.requestCatchUp(userTopic(receiverId), userId);
      } else {
        const item = privateMessageItem(message, written, place);
        if (receiverId !== userId) publisher.publish(userTopic(receiverId), 'privateMessage', item, { exceptUserIds: [userId] });
        publisher.publishOwn(userId, connection, 'privateMessage', () => ownMessageItem(item, message, written));
      }
      return { item: null, data: null, place };
    },
  });
