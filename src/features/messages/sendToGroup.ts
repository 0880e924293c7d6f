import { z } from 'zod';
import type { Env } from '../../env.ts';
import { DONE, operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/hub.ts';
import { id, messageText } from '../../schemas.ts';
import { groupMessageItem, placeOf } from './presenter.ts';

/** `messageInGroup`: stores a message in a group of mine and tells the connections of every other member. */
export const sendToGroup = ({ MAX_MESSAGE_LENGTH }: Env) =>
  operation({
    params: z.strictObject({ messageId: id, groupId: id, content: messageText(MAX_MESSAGE_LENGTH), groupName: z.unknown().optional() }),
    async handle({ userId, services: { writer, hub } }, { messageId, groupId, content }) {
      const message = { conversationId: groupId, messageId, senderId: userId, receiverId: null, content, notification: false };
      const written = await writer.send(message);
      const place = placeOf(written);
      if (!written.repeated) hub.publish(groupTopic(groupId), 'messageInGroup', groupMessageItem(message, written, place), userId);
      return { ...DONE, place };
    },
  });
