import { z } from 'zod';
import { pageOf } from '../../answers.ts';
import { operation } from '../../operation.ts';
import { cursor, limit } from '../../schemas.ts';
import { chatPage } from './queries.ts';
import { chatRow } from './rows.ts';

/** What `limit` means here. */
export const CHATS = 'How many chats the page has at most. More only where the last of them have an equal time';

/** `listLastMessage`: my dialogs and groups, each with its last message, newest first. */
export const listLastMessage = operation({
  inTurn: true,
  params: z.strictObject({
    limit: limit.describe(CHATS),
    cursorCreatedAt: cursor,
  }),
  answer: pageOf(chatRow),
  async handle({ userId, services: { database } }, { limit, cursorCreatedAt }) {
    return { item: null, data: await chatPage(database, userId, cursorCreatedAt, limit) };
  },
});
