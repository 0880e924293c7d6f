import { z } from 'zod';
import { sent } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { id, ignored, messageText, newMessageId, replyToId } from '../../schemas.ts';
import { groupMessageItem, ownMessageItem, placeOf } from './presenter.ts';
import { isRecent } from './recent.ts';

/** `messageInGroup`: stores a message in a group of mine and tells the connections of every other member. */
export const sendToGroup = ({ MAX_MESSAGE_LENGTH }: Env) =>
  operation({
    params: z.strictObject({
      messageId: newMessageId,
      groupId: id,
      content: messageText(MAX_MESSAGE_LENGTH),
      replyToId,
      groupName: ignored,
    }),
    answer: sent(z.null()),
    async handle({ userId, connection, services: { writer, publisher } }, { messageId, groupId, content, replyToId }) {
      const message = {
        conversationId: groupId,
        messageId,
        senderId: userId,
        receiverId: null,
        content,
        replyToId: replyToId ?? null,
        notification: false,
      };
      const written = await writer.send(message);
      const place = placeOf(written);
      if (written.repeated) {
        if (isRecent(written.createdAt)) publisher.requestCatchUp(groupTopic(groupId), userId);
      } else {
        const item = groupMessageItem(message, written, place);
        publisher.publish(groupTopic(groupId), 'messageInGroup', item, { exceptUserIds: [userId] });
        publisher.publishOwn(userId, connection, 'messageInGroup', () => ownMessageItem(item, message, written));
      }
      return { item: null, data: null, place };
    },
  });
