import { z } from 'zod';
import { pageBody, pageByTime, pageQuery } from '../../http/page.ts';
import { type Route, route } from '../../http/route.ts';
import { id } from '../../schemas.ts';
import { conversationRoutes } from '../messages/conversationRoutes.ts';
import { deleteDialog } from './deleteDialog.ts';
import { CHATS, listLastMessage } from './listLastMessage.ts';
import { chatRow } from './rows.ts';
import { updateChat } from './updateChat.ts';

const list = route({
  method: 'get',
  path: '/chats',
  summary: 'My dialogs and groups, each with its last message, newest first',
  params: z.strictObject({ ...pageQuery, limit: pageQuery.limit.describe(CHATS) }),
  status: 200,
  answer: pageBody(chatRow),
  errors: [],
  handle: (context, query) => pageByTime(query, (page) => listLastMessage.handle(context, page)),
});

const destroy = route({
  method: 'delete',
  path: '/dialogs/:companionId',
  summary: 'Delete a dialog for me; the other side keeps it',
  params: z.strictObject({ companionId: id }),
  status: 200,
  answer: z.object({ message: z.string() }),
  errors: [],
  async handle(context, { companionId }) {
    await deleteDialog(context, companionId);
    return { message: 'Dialog deleted' };
  },
});

const oldDestroy: Route = { ...destroy, method: 'post', path: '/use-cases/mark-as-deleted', sameAs: 'DELETE /api/dialogs/{companionId}' };

const update = conversationRoutes({
  method: 'patch',
  path: '/chat',
  summary: (conversation) => `How ${conversation} looks in my list: muted, pinned, with a title of mine`,
  errors: [],
  dialogErrors: ['no_such_chat'],
  operation: updateChat,
});

export const chatRoutes: Route[] = [list, destroy, oldDestroy, ...update];
