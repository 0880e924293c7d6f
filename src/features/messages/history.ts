import { z } from 'zod';
import { pageOf } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { cursor, id, ignored, limit } from '../../schemas.ts';
import { dialogId } from './dialogId.ts';
import { dialogRowOf, groupRowOf } from './presenter.ts';
import { historyPage } from './queries.ts';
import { dialogRow, groupRow } from './rows.ts';

/** `getlatestMessageDialog`: a page of the dialog with `receiverId`, newest first. */
export const dialogHistory = operation({
  inTurn: true,
  params: z.strictObject({ receiverId: id, limit, cursorCreatedAt: cursor }),
  answer: pageOf(dialogRow),
  async handle({ userId, services: { database } }, { receiverId, limit, cursorCreatedAt: before }) {
    const conversationId = dialogId(userId, receiverId);
    const rows = await historyPage(database, { conversationId, userId, kind: 'dialog', before, limit });
    return { item: null, data: (rows ?? []).map(dialogRowOf) };
  },
});

/** `getlatestMessageGroup`: a page of a group of mine, newest first. */
export const groupHistory = operation({
  inTurn: true,
  params: z.strictObject({ groupId: id, limit, cursorCreatedAt: cursor, groupName: ignored }),
  answer: pageOf(groupRow),
  async handle({ userId, services: { database } }, { groupId, limit, cursorCreatedAt: before }) {
    const rows = await historyPage(database, { conversationId: groupId, userId, kind: 'group', before, limit });
    if (!rows) throw new AppError('not_a_member');
    return { item: null, data: rows.map((row) => groupRowOf(groupId, row)) };
  },
});
