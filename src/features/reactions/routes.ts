import { z } from 'zod';
import { operationRoute, type Route } from '../../http/route.ts';
import { id } from '../../schemas.ts';
import { emoji } from './emoji.ts';
import { addReaction, removeReaction } from './react.ts';

const answer = z.object({ data: addReaction.answer.shape.item });
const inDialog = z.strictObject({ userId: id, messageId: id, emoji });
const inGroup = z.strictObject({ groupId: id, messageId: id, emoji });
const toBody = <Item>({ item }: { item: Item }) => ({ data: item });

const addInDialog = operationRoute({
  method: 'post',
  path: '/dialogs/:userId/messages/:messageId/reactions',
  summary: 'React to a message of my dialog with a user; the same again changes nothing',
  limit: 'request',
  params: inDialog,
  status: 200,
  answer,
  errors: ['no_such_message', 'too_many_reactions'],
  operation: addReaction,
  toParams: ({ userId, ...params }) => ({ receiverId: userId, ...params }),
  toBody,
});

const addInGroup = operationRoute({
  method: 'post',
  path: '/groups/:groupId/messages/:messageId/reactions',
  summary: 'React to a message of a group of mine; the same again changes nothing',
  limit: 'request',
  params: inGroup,
  status: 200,
  answer,
  errors: ['not_a_member', 'no_such_message', 'too_many_reactions'],
  operation: addReaction,
  toParams: (params) => params,
  toBody,
});

const removeInDialog = operationRoute({
  method: 'delete',
  path: '/dialogs/:userId/messages/:messageId/reactions/:emoji',
  summary: 'Take back a reaction of mine in my dialog with a user; the same again changes nothing',
  limit: 'request',
  params: inDialog,
  status: 200,
  answer,
  errors: ['no_such_message'],
  operation: removeReaction,
  toParams: ({ userId, ...params }) => ({ receiverId: userId, ...params }),
  toBody,
});

const removeInGroup = operationRoute({
  method: 'delete',
  path: '/groups/:groupId/messages/:messageId/reactions/:emoji',
  summary: 'Take back a reaction of mine in a group of mine; the same again changes nothing',
  limit: 'request',
  params: inGroup,
  status: 200,
  answer,
  errors: ['not_a_member', 'no_such_message'],
  operation: removeReaction,
  toParams: (params) => params,
  toBody,
});

export const reactionRoutes: Route[] = [addInDialog, addInGroup, removeInDialog, removeInGroup];
