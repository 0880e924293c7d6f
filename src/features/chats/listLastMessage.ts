import { z } from 'zod';
import { pageOf } from '../../answers.ts';
import { operation } from '../../operation.ts';
import { cursor, limit } from '../../schemas.ts';
import { chatPage } from './queries.ts';
import { chatRow } from './rows.ts';

/** `listLastMessage`: my dialogs and groups, each with its last message, newest first. */
export const listLastMessage = operation({
  params: z.strictObject({ limit, cursorCreatedAt: cursor }),
  answer: pageOf(chatRow),
  async handle({ userId, services: { database } }, { limit, cursorCreatedAt }) {
    return { item: null, data: await chatPage(database, userId, cursorCreatedAt, limit) };
  },
});
