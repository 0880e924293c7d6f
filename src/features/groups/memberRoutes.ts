import { z } from 'zod';
import { knownId, place } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { pageBody, pageQuery } from '../../http/page.ts';
import { operationRoute, type Route, route } from '../../http/route.ts';
import { id, messageText, newMessageId } from '../../schemas.ts';
import { groupMessage } from '../messages/events.ts';
import { addUserInGroup } from './addUserInGroup.ts';
import { role } from './events.ts';
import { getGroupMembers, memberCursor } from './getGroupMembers.ts';
import { leaveGroup } from './leaveGroup.ts';
import { removeUserFromGroup } from './removeUserFromGroup.ts';
import { memberRow } from './rows.ts';
import { setGroupRole } from './setGroupRole.ts';

const notification = ({ MAX_MESSAGE_LENGTH }: Env) => ({ messageId: newMessageId, message: messageText(MAX_MESSAGE_LENGTH) });

const list = operationRoute({
  method: 'get',
  path: '/groups/:groupId/members',
  summary: 'The members of a group of mine, the longest-standing first',
  params: z.strictObject({ groupId: id, limit: pageQuery.limit, cursor: memberCursor.optional() }),
  status: 200,
  answer: pageBody(memberRow),
  errors: ['not_a_member'],
  operation: getGroupMembers,
  toParams: ({ cursor = null, ...params }) => ({ ...params, cursor }),
  toBody: ({ item: { nextCursor }, data }) => ({ data, nextCursor }),
});

const add = (env: Env) =>
  operationRoute({
    method: 'post',
    path: '/groups/:groupId/members',
    summary: 'Add a user to a group of mine; the same messageId again changes nothing',
    params: z.strictObject({ groupId: id, userId: id, ...notification(env) }),
    status: 201,
    answer: z.object({ data: groupMessage }),
    errors: ['not_a_member', 'no_such_user', 'already_a_member', 'message_id_taken'],
    operation: addUserInGroup(env),
    toParams: (params) => params,
    toBody: ({ item }) => ({ data: item }),
  });

const setRole = operationRoute({
  method: 'patch',
  path: '/groups/:groupId/members/:userId',
  summary: 'Give another member a role, as the owner; or make a member an admin, as one',
  params: z.strictObject({ groupId: id, userId: id, role }),
  status: 200,
  answer: z.object({ data: memberRow }),
  errors: ['not_a_member', 'not_an_admin', 'not_the_owner', 'no_such_member'],
  operation: setGroupRole,
  toParams: (params) => params,
  toBody: ({ item }) => ({ data: item }),
});

function remove(env: Env): Route {
  const [removal, leaving] = [removeUserFromGroup(env), leaveGroup(env)];
  const { messageId, message } = notification(env);
  return route({
    method: 'delete',
    path: '/groups/:groupId/members/:userId',
    summary: 'Take a member out of a group, as the owner or an admin, or leave it; the same messageId again changes nothing',
    params: z.strictObject({
      groupId: id,
      userId: id,
      messageId,
      message: message.describe('One that is too long for an address may stand in a JSON body, with the `messageId` or without'),
    }),
    status: 200,
    answer: z.object({ data: place.extend({ groupId: knownId }) }),
    errors: ['not_a_member', 'not_an_admin', 'not_the_owner', 'no_such_member', 'message_id_taken'],
    async handle(context, { userId, ...params }) {
      const isMe = userId === context.userId;
      const { item, place } = await (isMe ? leaving.handle(context, params) : removal.handle(context, { userId, ...params }));
      return { data: { ...item, ...place } };
    },
  });
}

export const memberRoutes = (env: Env): Route[] => [list, add(env), setRole, remove(env)];
