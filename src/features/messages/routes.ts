import { z } from 'zod';
import { place } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { pageBody, pageByTime, pageQuery } from '../../http/page.ts';
import { operationRoute, type Route, route } from '../../http/route.ts';
import { id, messageText, newMessageId, replyToId } from '../../schemas.ts';
import { conversationRoutes } from './conversationRoutes.ts';
import { deleteMessage } from './deleteMessage.ts';
import { editMessage } from './editMessage.ts';
import { dialogHistory, groupHistory } from './history.ts';
import { dialogRow, groupRow } from './rows.ts';
import { sendPrivate } from './sendPrivate.ts';
import { sendToGroup } from './sendToGroup.ts';

const readDialog = route({
  method: 'get',
  path: '/dialogs/:userId/messages',
  summary: 'A page of my dialog with a user, newest first',
  params: z.strictObject({ userId: id, ...pageQuery }),
  status: 200,
  answer: pageBody(dialogRow),
  errors: [],
  handle: (context, { userId: receiverId, ...query }) =>
    pageByTime(query, (page) => dialogHistory.handle(context, { receiverId, ...page })),
});

const readGroup = route({
  method: 'get',
  path: '/groups/:groupId/messages',
  summary: 'A page of a group of mine, newest first',
  params: z.strictObject({ groupId: id, ...pageQuery }),
  status: 200,
  answer: pageBody(groupRow),
  errors: ['not_a_member'],
  handle: (context, { groupId, ...query }) => pageByTime(query, (page) => groupHistory.handle(context, { groupId, ...page })),
});

const message = ({ MAX_MESSAGE_LENGTH }: Env) => ({ messageId: newMessageId, content: messageText(MAX_MESSAGE_LENGTH), replyToId });
const stored = z.object({ data: place });

const writeToUser = (env: Env) =>
  operationRoute({
    method: 'post',
    path: '/dialogs/:userId/messages',
    summary: 'Send a message to a user; the same messageId again stores nothing',
    params: z.strictObject({ userId: id, ...message(env) }),
    status: 201,
    answer: stored,
    errors: ['no_such_user', 'no_such_message', 'message_id_taken'],
    operation: sendPrivate(env),
    toParams: ({ userId, ...params }) => ({ receiverId: userId, ...params }),
    toBody: ({ place }) => ({ data: place }),
  });

const writeToGroup = (env: Env) =>
  operationRoute({
    method: 'post',
    path: '/groups/:groupId/messages',
    summary: 'Send a message to a group of mine; the same messageId again stores nothing',
    params: z.strictObject({ groupId: id, ...message(env) }),
    status: 201,
    answer: stored,
    errors: ['not_a_member', 'no_such_message', 'message_id_taken'],
    operation: sendToGroup(env),
    toParams: (params) => params,
    toBody: ({ place }) => ({ data: place }),
  });

const edit = (env: Env) =>
  conversationRoutes({
    method: 'patch',
    path: '/messages/:messageId',
    summary: (conversation) => `Edit a message of mine in ${conversation}, for some time after it was sent`,
    errors: ['not_the_author', 'too_late_to_edit', 'no_such_message'],
    operation: editMessage(env),
  });

const destroy = conversationRoutes({
  method: 'delete',
  path: '/messages/:messageId',
  summary: (conversation) =>
    `Delete a message of ${conversation} for everybody: mine, or any where I am the owner or an admin; the same again changes nothing`,
  errors: ['not_the_author', 'no_such_message'],
  operation: deleteMessage,
});

export const messageRoutes = (env: Env): Route[] => [readDialog, readGroup, writeToUser(env), writeToGroup(env), ...edit(env), ...destroy];
