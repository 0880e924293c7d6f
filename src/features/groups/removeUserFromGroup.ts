import type { Transaction } from 'sequelize';
import { z } from 'zod';
import { knownId, sent } from '../../answers.ts';
import type { Conversation } from '../../db/models/conversation.ts';
import type { Database } from '../../db/sequelize.ts';
import type { Env } from '../../env.ts';
import { AppError } from '../../errors.ts';
import { type Context, operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { id, messageText, newMessageId } from '../../schemas.ts';
import { groupMessageItem, ownMessageItem, placeOf } from '../messages/presenter.ts';
import { isRecent } from '../messages/recent.ts';
import type { NewMessage, WrittenMessage } from '../messages/writeMessages.ts';
import { changeGroup, findMember, removeMember, requireMember } from './membership.ts';
import { notification, writeNotification } from './notification.ts';
import { checkRemoval, requireAdmin } from './roles.ts';

/** `removeUserFromGroup`: the owner takes anybody else out of a group, an admin plain members. */
export const removeUserFromGroup = ({ MAX_MESSAGE_LENGTH }: Env) =>
  operation({
    exclusive: true,
    params: z.strictObject({ groupId: id, userId: id, messageId: newMessageId, message: messageText(MAX_MESSAGE_LENGTH) }),
    answer: sent(z.object({ groupId: knownId })),
    async handle(context, { groupId, userId, messageId, message: content }) {
      const { userId: senderId, services } = context;
      if (userId === senderId) throw new AppError('invalid_params', { issues: [{ path: 'userId', message: 'use leaveGroup' }] });
      const message = notification({ groupId, messageId, senderId, content });
      const written = await changeGroup(context, { groupId, userId }, (group, transaction) =>
        remove(services.database, group, { userId, message }, transaction),
      );
      tell(context, userId, message, written);
      return { item: { groupId }, data: null, place: placeOf(written) };
    },
  });

interface Removal {
  userId: string;
  message: NewMessage;
}

async function remove(
  database: Database,
  group: Conversation,
  { userId, message }: Removal,
  transaction: Transaction,
): Promise<WrittenMessage> {
  const written = await writeNotification(database, group, message, transaction);
  const me = await requireMember(database, group, message.senderId, transaction);
  const member = await findMember(database, group, userId, transaction);
  if (written.repeated) {
    if (member) throw new AppError('message_id_taken');
    return written;
  }
  requireAdmin(me.role);
  if (!member) throw new AppError('no_such_member');
  checkRemoval(me.role, member.role);
  await removeMember(database, [group.id], userId, transaction);
  return written;
}

function tell(context: Context, userId: string, message: NewMessage, written: WrittenMessage): void {
  const { userId: senderId, connection, services } = context;
  const { publisher } = services;
  const { conversationId: groupId } = message;
  if (written.repeated) {
    if (!isRecent(written.createdAt)) return;
    // By now the user may have been added again: what is true stands in the database.
    publisher.refresh(userId);
    publisher.requestCatchUp(groupTopic(groupId), senderId);
    return;
  }
  const item = groupMessageItem(message, written, placeOf(written));
  publisher.leaveGroup(userId, item, { groupId });
  // Another process may hear of the group before it hears that the user is out of it.
  publisher.publish(groupTopic(groupId), 'leaveGroup', item, { exceptUserIds: [senderId, userId] });
  // As a `leaveGroup` of their own it would tell the user's other connections that they are out.
  publisher.publishOwn(senderId, connection, 'messageInGroup', () => ownMessageItem(item, message, written));
  const removed = { companionId: null, groupId, userId, removedBy: senderId };
  publisher.publish(groupTopic(groupId), 'memberRemoved', removed, { exceptUserIds: [userId], exceptConnectionId: connection?.id });
}
