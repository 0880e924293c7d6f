import type { Route } from '../../http/route.ts';
import { conversationRoutes } from '../messages/conversationRoutes.ts';
import { markRead } from './markRead.ts';

export const readingRoutes: Route[] = conversationRoutes({
  method: 'post',
  path: '/read',
  summary: (conversation) => `I have read this message of ${conversation}, and all before it`,
  errors: ['no_such_message'],
  operation: markRead,
});
