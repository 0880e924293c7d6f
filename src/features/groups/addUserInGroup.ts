import type { Transaction } from 'sequelize';
import { z } from 'zod';
import { sent } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { id, ignored, messageText, newMessageId } from '../../schemas.ts';
import { groupMessage } from '../messages/events.ts';
import { groupMessageItem, ownMessageItem, placeOf } from '../messages/presenter.ts';
import { isRecent } from '../messages/recent.ts';
import { admitMember, findMember, holdAccounts, lockGroup, requireMember } from './membership.ts';
import { notification, writeNotification } from './notification.ts';

/** `addUserInGroup`: any member adds a user; every other member is told, the new one included. */
export const addUserInGroup = ({ MAX_MESSAGE_LENGTH }: Env) =>
  operation({
    exclusive: true,
    params: z.strictObject({
      groupId: id,
      userId: id,
      messageId: newMessageId,
      message: messageText(MAX_MESSAGE_LENGTH),
      groupName: ignored,
    }),
    answer: sent(groupMessage),
    async handle({ userId: senderId, connection, services }, { groupId, userId, messageId, message: content }) {
      const message = notification({ groupId, messageId, senderId, content });
      const { database, publisher, rateLimits } = services;
      await rateLimits.consume('groupMember', senderId);
      const admit = async (transaction: Transaction) => {
        const accounts = await holdAccounts(database, [userId], transaction);
        const group = await lockGroup(database, groupId, transaction);
        const written = await writeNotification(database, group, message, transaction);
        if (!written.repeated) await admitMember(database, group, { userId, accounts }, transaction);
        else {
          // To somebody who has left since, the answer must not tell who is in the group.
          await requireMember(database, group, senderId, transaction);
          if (!(await findMember(database, group, userId, transaction))) throw new AppError('message_id_taken');
        }
        return written;
      };
      const written = await database.changeConversation({ conversationId: groupId, userId: senderId }, admit, () => {
        publisher.reconnect(userId);
        publisher.requestCatchUp(groupTopic(groupId));
      });
      const place = placeOf(written);
      const item = groupMessageItem(message, written, place);
      if (written.repeated) {
        if (isRecent(written.createdAt)) {
          publisher.refresh(userId);
          publisher.requestCatchUp(groupTopic(groupId), senderId);
        }
      } else {
        publisher.joinGroup(userId, item, item);
        publisher.publish(groupTopic(groupId), 'addUserInGroup', item, { exceptUserIds: [senderId, userId] });
        publisher.publishOwn(senderId, connection, 'addUserInGroup', () => ownMessageItem(item, message, written));
      }
      return { item, data: null, place };
    },
  });
