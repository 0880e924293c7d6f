import { z } from 'zod';
import { nextCursor, pageWith } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { opaqueCursor, toCursor } from '../../paging.ts';
import { id, limit, searchTerm } from '../../schemas.ts';
import { conversationOf } from '../messages/conversation.ts';
import { messageRowOf } from '../messages/presenter.ts';
import { messageRow } from '../messages/rows.ts';
import { excerpt, excerptsOf } from './excerpt.ts';
import { findMessages } from './messageQueries.ts';

/** What messages are searched for: words, the last one of which may be the beginning of one. */
export const wantedWords = searchTerm
  .refine((text) => /[\p{L}\p{N}]/u.test(text), 'must have a letter or a digit')
  .describe('Words that a message has all of. The last one may be the beginning of one');

/** The place after which a page begins. */
export const searchCursor = opaqueCursor(
  z.object({ at: z.iso.datetime({ precision: 3 }).transform((text) => new Date(text)), conversationId: z.guid() }),
);

/** A message that was found. */
export const foundRow = messageRow.extend({ excerpt });

/** `searchMessages`: what is written in one conversation of mine, or in all of them, newest first. */
export const searchMessages = operation({
  params: z
    .strictObject({ text: wantedWords, limit, cursor: searchCursor.nullable(), receiverId: id.nullish(), groupId: id.nullish() })
    .refine(({ receiverId, groupId }) => !receiverId || !groupId, {
      path: ['groupId'],
      error: 'must not be given where receiverId is',
    }),
  answer: pageWith(foundRow, nextCursor),
  async handle({ userId, services: { database, rateLimits, searchTurns } }, { text, limit, cursor: after, receiverId, groupId }) {
    await rateLimits.consume('search', userId);
    if (groupId) {
      const isMember = await database.members.count({ where: { conversationId: groupId, userId, companionId: null } });
      if (!isMember) throw new AppError('not_a_member');
    }
    const conversationId = receiverId || groupId ? conversationOf(userId, { receiverId, groupId }).conversationId : null;
    return searchTurns.run(userId, async () => {
      const { found, next } = await findMessages(database, { userId, text, conversationId, after, limit });
      const contents = found.map(({ content }) => content);
      const excerpts = await excerptsOf(contents, text);
      const data = found.map((row, index) => ({ ...messageRowOf(row, row), excerpt: excerpts[index] ?? [] }));
      return { item: { nextCursor: next && toCursor({ at: next.at, conversationId: next.conversationId }) }, data };
    });
  },
});
