import { z } from 'zod';
import { nextCursor, pageWith } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { cutPage, opaqueCursor, toCursor } from '../../paging.ts';
import { id, limit, cursor as time } from '../../schemas.ts';
import { membersOf } from './queries.ts';
import { memberRow } from './rows.ts';

/** Where a page of members ends. */
export const memberCursor = opaqueCursor(z.tuple([time.unwrap(), id]));

/** `getGroupMembers`: a page of the members of a group of mine, the longest-standing first. */
export const getGroupMembers = operation({
  inTurn: true,
  params: z.strictObject({ groupId: id, limit, cursor: memberCursor.nullable() }),
  answer: pageWith(memberRow, nextCursor),
  async handle({ userId, services: { database } }, { groupId, limit, cursor: after }) {
    const rows = await membersOf(database, { groupId, userId, after, limit: limit + 1 });
    if (!rows) throw new AppError('not_a_member');
    const { data, nextCursor } = cutPage(rows, limit, ({ joinedAt, userId }) => toCursor([joinedAt, userId]));
    return { item: { nextCursor }, data };
  },
});
