import { z } from 'zod';
import { fold } from '../../db/searchText.ts';
import { AppError } from '../../errors.ts';
import { pageBody } from '../../http/page.ts';
import { operationRoute, type Route, route } from '../../http/route.ts';
import { id, limitOr, searchTerm } from '../../schemas.ts';
import { findMyGroups, findUsers, findUsersNotInGroup } from './queries.ts';
import { foundRow, searchCursor, searchMessages, wantedWords } from './searchMessages.ts';

const DEFAULT_LIMIT = 20;

const searchText = searchTerm.refine((text) => fold(text) !== '', 'must not be white space or accents alone');
const limit = limitOr(DEFAULT_LIMIT);

const person = z.object({ userId: z.uuid(), firstName: z.string(), lastName: z.string().nullable(), email: z.string() });
const result = z.object({
  userId: z.uuid().nullable(),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  email: z.string().nullable(),
  groupId: z.guid().nullable(),
  groupName: z.string().nullable(),
});

const search = route({
  method: 'get',
  path: '/search',
  aliases: ['/use-cases/search'],
  summary: 'Find people, and groups of mine; best matches first',
  limit: 'search',
  params: z.strictObject({ searchText, limit }),
  status: 200,
  answer: z.object({ data: z.array(result) }),
  errors: [],
  async handle({ userId, services: { database, searchTurns } }, { searchText, limit }) {
    const [users, groups] = await searchTurns.run(userId, () =>
      Promise.all([findUsers(database, searchText, limit, userId), findMyGroups(database, searchText, limit, userId)]),
    );
    const rows = [
      ...users.map((user) => ({ ...user, groupId: null, groupName: null })),
      ...groups.map((group) => ({ ...group, userId: null, firstName: null, lastName: null, email: null })),
    ];
    const best = rows.sort((one, other) => one.rank - other.rank).slice(0, limit);
    return { data: best.map(({ rank: _rank, ...row }) => row) };
  },
});

const searchUsers = route({
  method: 'get',
  path: '/search/users',
  aliases: ['/use-cases/search-users'],
  summary: 'Find people who are not in a group of mine',
  limit: 'search',
  params: z.strictObject({ searchText, groupId: id, limit }),
  status: 200,
  answer: z.object({ data: z.array(person) }),
  errors: ['not_a_member'],
  async handle({ userId, services: { database, searchTurns } }, { searchText, groupId, limit }) {
    const isMember = await database.members.count({ where: { conversationId: groupId, userId, companionId: null } });
    if (!isMember) throw new AppError('not_a_member');
    const users = await searchTurns.run(userId, () => findUsersNotInGroup(database, searchText, limit, groupId));
    return { data: users.map(({ rank: _rank, ...user }) => user) };
  },
});

const messages = operationRoute({
  method: 'get',
  path: '/messages/search',
  summary:
    'Find messages by their words, in all my chats or in one, newest first. A page may have few rows or none and still a nextCursor: then others follow',
  params: z
    .strictObject({ text: wantedWords, limit, cursor: searchCursor.optional(), userId: id.optional(), groupId: id.optional() })
    .refine(({ userId, groupId }) => userId === undefined || groupId === undefined, {
      path: ['groupId'],
      error: 'must not be given where userId is',
    }),
  status: 200,
  answer: pageBody(foundRow),
  errors: ['not_a_member'],
  operation: searchMessages,
  toParams: ({ userId, cursor = null, ...params }) => ({ ...params, receiverId: userId, cursor }),
  toBody: ({ item, data }) => ({ data, ...item }),
});

export const searchRoutes: Route[] = [search, searchUsers, messages];
