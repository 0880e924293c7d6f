import type { Route } from '../../http/route.ts';
import { conversationRoutes } from '../messages/conversationRoutes.ts';
import { addReaction, removeReaction } from './react.ts';

const add = conversationRoutes({
  method: 'post',
  path: '/messages/:messageId/reactions',
  summary: (conversation) => `React to a message of ${conversation}; the same again changes nothing`,
  errors: ['no_such_message', 'too_many_reactions'],
  operation: addReaction,
});

const remove = conversationRoutes({
  method: 'delete',
  path: '/messages/:messageId/reactions/:emoji',
  summary: (conversation) => `Take back a reaction of mine in ${conversation}; the same again changes nothing`,
  errors: ['no_such_message'],
  operation: removeReaction,
});

export const reactionRoutes: Route[] = [...add, ...remove];
