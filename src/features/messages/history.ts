import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { cursor, id, limit } from '../../schemas.ts';
import { dialogId } from './dialogId.ts';
import { historyPage } from './queries.ts';

/** `getlatestMessageDialog`: a page of the dialog with `receiverId`, newest first. */
export const dialogHistory = operation({
  params: z.strictObject({ receiverId: id, limit, cursorCreatedAt: cursor }),
  async handle({ userId, services: { database } }, { receiverId, limit, cursorCreatedAt: before }) {
    const conversationId = dialogId(userId, receiverId);
    const rows = await historyPage(database, { conversationId, userId, kind: 'dialog', before, limit });
    const data = (rows ?? []).map(({ messageId, senderId, senderName, receiverId, receiverName, content, createdAt, seq, rev }) => ({
      messageId,
      senderId,
      senderName,
      receiverId,
      receiverName,
      content,
      createdAt,
      seq,
      rev,
    }));
    return { item: null, data };
  },
});

/** `getlatestMessageGroup`: a page of a group of mine, newest first. */
export const groupHistory = operation({
  params: z.strictObject({ groupId: id, limit, cursorCreatedAt: cursor, groupName: z.unknown().optional() }),
  async handle({ userId, services: { database } }, { groupId, limit, cursorCreatedAt: before }) {
    const rows = await historyPage(database, { conversationId: groupId, userId, kind: 'group', before, limit });
    if (!rows) throw new AppError('not_a_member');
    const data = rows.map(({ notification, messageId, senderId, senderName, senderLastName, groupName, content, createdAt, seq, rev }) => ({
      notification: notification || null,
      messageId,
      senderId,
      senderName,
      senderLastName,
      groupId,
      groupName,
      content,
      createdAt,
      seq,
      rev,
    }));
    return { item: null, data };
  },
});
