import { z } from 'zod';
import type { Env } from '../../env.ts';
import { pageBody, pageQuery } from '../../http/page.ts';
import { operationRoute, type Route, route } from '../../http/route.ts';
import { groupName, id, messageText, newMessageId } from '../../schemas.ts';
import { createGroup, guests, newGroupId } from './createGroup.ts';
import { dropGroup } from './dropGroup.ts';
import { groupDropped } from './events.ts';
import { memberRoutes } from './memberRoutes.ts';
import { readGroup, readGroups } from './readGroups.ts';
import { groupDetails } from './rows.ts';
import { groupChange, updateGroup } from './updateGroup.ts';

const create = ({ MAX_MESSAGE_LENGTH }: Env) =>
  route({
    method: 'post',
    path: '/groups',
    aliases: ['/use-cases/create-group'],
    summary: 'Create a group that I own; the same again changes nothing',
    params: z.strictObject({
      groupId: newGroupId,
      groupName,
      notificationMessage: messageText(MAX_MESSAGE_LENGTH),
      messageId: newMessageId,
      userIds: guests,
    }),
    status: 200,
    answer: z.object({ message: z.string() }),
    errors: ['group_id_taken', 'no_such_user'],
    async handle(context, { notificationMessage: message, ...group }) {
      await createGroup(context, { ...group, message });
      return { message: 'Group created' };
    },
  });

const list = route({
  method: 'get',
  path: '/groups',
  summary: 'My groups, in the order of their ids',
  params: z.strictObject({
    limit: pageQuery.limit,
    cursor: id.optional().describe('The `nextCursor` of the last page; none for the first page'),
  }),
  status: 200,
  answer: pageBody(groupDetails),
  errors: [],
  handle: (context, { limit, cursor = null }) => readGroups(context, limit, cursor),
});

const group = z.object({ data: groupDetails });

const show = route({
  method: 'get',
  path: '/groups/:groupId',
  summary: 'A group of mine',
  params: z.strictObject({ groupId: id }),
  status: 200,
  answer: group,
  errors: ['not_a_member'],
  handle: async (context, { groupId }) => ({ data: await readGroup(context, groupId) }),
});

const update = operationRoute({
  method: 'patch',
  path: '/groups/:groupId',
  summary: 'Give a group another name or description, as its owner or an admin',
  params: groupChange,
  status: 200,
  answer: group,
  errors: ['not_a_member', 'not_an_admin'],
  operation: updateGroup,
  toParams: (params) => params,
  toBody: ({ item }) => ({ data: item }),
});

const drop = operationRoute({
  method: 'delete',
  path: '/groups/:groupId',
  summary: 'End a group for everyone, as its owner',
  params: z.strictObject({ groupId: id }),
  status: 200,
  answer: z.object({ data: groupDropped }),
  errors: ['not_a_member', 'not_the_owner'],
  operation: dropGroup,
  toParams: (params) => params,
  toBody: ({ item }) => ({ data: item }),
});

export const groupRoutes = (env: Env): Route[] => [create(env), list, show, update, drop, ...memberRoutes(env)];
