import { z } from 'zod';
import { knownId, sent } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { id, messageText } from '../../schemas.ts';
import { groupMessageItem, ownMessageItem, placeOf } from '../messages/presenter.ts';
import { writeWithin } from '../messages/writeMessages.ts';
import { changeGroup, isMember, removeMember } from './membership.ts';
import { notification } from './notification.ts';

/** `leaveGroup`: takes me out of a group and tells those who stay. */
export const leaveGroup = ({ MAX_MESSAGE_LENGTH }: Env) =>
  operation({
    exclusive: true,
    params: z.strictObject({ groupId: id, messageId: id, message: messageText(MAX_MESSAGE_LENGTH), groupName: z.unknown().optional() }),
    answer: sent(z.object({ groupId: knownId })),
    async handle({ userId, connection, services }, { groupId, messageId, message: content }) {
      const message = notification({ groupId, messageId, senderId: userId, content });
      const { database, hub } = services;
      const { written, isGone } = await changeGroup(services, { groupId, userId }, async (group, transaction) => {
        const written = await writeWithin(transaction, database, message);
        if (!written.repeated) await removeMember(database, group, userId, transaction);
        return { written, isGone: !(await isMember(database, group, userId, transaction)) };
      });
      const place = placeOf(written);
      if (isGone) hub.leaveGroup(userId, groupId);
      if (written.repeated) hub.doubt(groupTopic(groupId), userId);
      else {
        const item = groupMessageItem(message, written, place);
        hub.publish(groupTopic(groupId), 'leaveGroup', item, { exceptUserIds: [userId] });
        hub.publishOwn(userId, connection, 'leaveGroup', () => ownMessageItem(item, message, written));
      }
      return { item: { groupId }, data: null, place };
    },
  });
