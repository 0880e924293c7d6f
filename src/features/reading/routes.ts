import { z } from 'zod';
import { operationRoute, type Route } from '../../http/route.ts';
import { id } from '../../schemas.ts';
import { markRead } from './markRead.ts';

const answer = z.object({ data: markRead.answer.shape.item });

const readDialog = operationRoute({
  method: 'post',
  path: '/dialogs/:userId/read',
  summary: 'I have read this message of my dialog with a user, and all before it',
  limit: 'request',
  params: z.strictObject({ userId: id, messageId: id }),
  status: 200,
  answer,
  errors: ['no_such_message'],
  operation: markRead,
  toParams: ({ userId, messageId }) => ({ receiverId: userId, messageId }),
  toBody: ({ item }) => ({ data: item }),
});

const readGroup = operationRoute({
  method: 'post',
  path: '/groups/:groupId/read',
  summary: 'I have read this message of a group of mine, and all before it',
  limit: 'request',
  params: z.strictObject({ groupId: id, messageId: id }),
  status: 200,
  answer,
  errors: ['not_a_member', 'no_such_message'],
  operation: markRead,
  toParams: (params) => params,
  toBody: ({ item }) => ({ data: item }),
});

export const readingRoutes: Route[] = [readDialog, readGroup];
