import { z } from 'zod';
import { knownId, sent } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { id, ignored, messageText, newMessageId } from '../../schemas.ts';
import { groupMessageItem, ownMessageItem, placeOf } from '../messages/presenter.ts';
import { isRecent } from '../messages/recent.ts';
import { changeGroup, removeMember } from './membership.ts';
import { notification, writeNotification } from './notification.ts';
import { announceRole } from './roles.ts';

/** `leaveGroup`: takes me out of a group and tells those who stay. */
export const leaveGroup = ({ MAX_MESSAGE_LENGTH }: Env) =>
  operation({
    exclusive: true,
    params: z.strictObject({ groupId: id, messageId: newMessageId, message: messageText(MAX_MESSAGE_LENGTH), groupName: ignored }),
    answer: sent(z.object({ groupId: knownId })),
    async handle(context, { groupId, messageId, message: content }) {
      const { userId, connection, services } = context;
      const message = notification({ groupId, messageId, senderId: userId, content });
      const { database, publisher } = services;
      const { written, heirId } = await changeGroup(context, { groupId, userId }, async (group, transaction) => {
        const written = await writeNotification(database, group, message, transaction);
        const heirs = written.repeated ? undefined : await removeMember(database, [groupId], userId, transaction);
        return { written, heirId: heirs?.get(groupId) };
      });
      const place = placeOf(written);
      if (written.repeated) {
        if (isRecent(written.createdAt)) {
          // By now I may be a member again: what is true stands in the database.
          publisher.refresh(userId);
          publisher.requestCatchUp(groupTopic(groupId), userId);
        }
      } else {
        const item = groupMessageItem(message, written, place);
        publisher.leaveGroup(userId, item);
        publisher.publish(groupTopic(groupId), 'leaveGroup', item, { exceptUserIds: [userId] });
        publisher.publishOwn(userId, connection, 'leaveGroup', () => ownMessageItem(item, message, written));
        if (heirId) announceRole(context, { groupId, userId: heirId, role: 'owner', hasLeft: true });
      }
      return { item: { groupId }, data: null, place };
    },
  });
