import { z } from 'zod';
import { place } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { bodyByTime, pageBody, pageQuery } from '../../http/page.ts';
import { operationRoute, type Route } from '../../http/route.ts';
import { id, messageText } from '../../schemas.ts';
import { deletedMessage, deleteMessage } from './deleteMessage.ts';
import { editedMessage, editMessage } from './editMessage.ts';
import { dialogHistory, groupHistory } from './history.ts';
import { dialogRow, groupRow } from './rows.ts';
import { sendPrivate } from './sendPrivate.ts';
import { sendToGroup } from './sendToGroup.ts';

const readDialog = operationRoute({
  method: 'get',
  path: '/dialogs/:userId/messages',
  summary: 'A page of my dialog with a user, newest first',
  limit: 'request',
  params: z.strictObject({ userId: id, ...pageQuery }),
  status: 200,
  answer: pageBody(dialogRow),
  errors: [],
  operation: dialogHistory,
  toParams: ({ userId, limit, cursor = null }) => ({ receiverId: userId, limit, cursorCreatedAt: cursor }),
  toBody: bodyByTime,
});

const readGroup = operationRoute({
  method: 'get',
  path: '/groups/:groupId/messages',
  summary: 'A page of a group of mine, newest first',
  limit: 'request',
  params: z.strictObject({ groupId: id, ...pageQuery }),
  status: 200,
  answer: pageBody(groupRow),
  errors: ['not_a_member'],
  operation: groupHistory,
  toParams: ({ groupId, limit, cursor = null }) => ({ groupId, limit, cursorCreatedAt: cursor }),
  toBody: bodyByTime,
});

const message = ({ MAX_MESSAGE_LENGTH }: Env) => ({ messageId: id, content: messageText(MAX_MESSAGE_LENGTH), replyToId: id.nullish() });
const stored = z.object({ data: place });

const writeToUser = (env: Env) =>
  operationRoute({
    method: 'post',
    path: '/dialogs/:userId/messages',
    summary: 'Send a message to a user; the same messageId again stores nothing',
    limit: 'request',
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
    limit: 'request',
    params: z.strictObject({ groupId: id, ...message(env) }),
    status: 201,
    answer: stored,
    errors: ['not_a_member', 'no_such_message', 'message_id_taken'],
    operation: sendToGroup(env),
    toParams: (params) => params,
    toBody: ({ place }) => ({ data: place }),
  });

const inDialog = { userId: id, messageId: id };
const inGroup = { groupId: id, messageId: id };
const newContent = ({ MAX_MESSAGE_LENGTH }: Env) => ({ content: messageText(MAX_MESSAGE_LENGTH) });
const toItem = <Item>({ item }: { item: Item }) => ({ data: item });

const editInDialog = (env: Env) =>
  operationRoute({
    method: 'patch',
    path: '/dialogs/:userId/messages/:messageId',
    summary: 'Edit a message of mine in my dialog with a user, for some time after it was sent',
    limit: 'request',
    params: z.strictObject({ ...inDialog, ...newContent(env) }),
    status: 200,
    answer: z.object({ data: editedMessage }),
    errors: ['not_the_author', 'too_late_to_edit', 'no_such_message'],
    operation: editMessage(env),
    toParams: ({ userId, ...params }) => ({ receiverId: userId, ...params }),
    toBody: toItem,
  });

const editInGroup = (env: Env) =>
  operationRoute({
    method: 'patch',
    path: '/groups/:groupId/messages/:messageId',
    summary: 'Edit a message of mine in a group of mine, for some time after it was sent',
    limit: 'request',
    params: z.strictObject({ ...inGroup, ...newContent(env) }),
    status: 200,
    answer: z.object({ data: editedMessage }),
    errors: ['not_a_member', 'not_the_author', 'too_late_to_edit', 'no_such_message'],
    operation: editMessage(env),
    toParams: (params) => params,
    toBody: toItem,
  });

const deleteInDialog = operationRoute({
  method: 'delete',
  path: '/dialogs/:userId/messages/:messageId',
  summary: 'Delete a message of mine for both of us; the same again changes nothing',
  limit: 'request',
  params: z.strictObject(inDialog),
  status: 200,
  answer: z.object({ data: deletedMessage }),
  errors: ['not_the_author', 'no_such_message'],
  operation: deleteMessage,
  toParams: ({ userId, messageId }) => ({ receiverId: userId, messageId }),
  toBody: toItem,
});

const deleteInGroup = operationRoute({
  method: 'delete',
  path: '/groups/:groupId/messages/:messageId',
  summary: 'Delete a message for everybody: mine, or any where I am the owner or an admin; the same again changes nothing',
  limit: 'request',
  params: z.strictObject(inGroup),
  status: 200,
  answer: z.object({ data: deletedMessage }),
  errors: ['not_a_member', 'not_the_author', 'no_such_message'],
  operation: deleteMessage,
  toParams: (params) => params,
  toBody: toItem,
});

export const messageRoutes = (env: Env): Route[] => [
  readDialog,
  readGroup,
  writeToUser(env),
  writeToGroup(env),
  editInDialog(env),
  editInGroup(env),
  deleteInDialog,
  deleteInGroup,
];
