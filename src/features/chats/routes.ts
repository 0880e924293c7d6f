import { z } from 'zod';
import { bodyByTime, pageBody, pageQuery } from '../../http/page.ts';
import { operationRoute, type Route, route } from '../../http/route.ts';
import { id } from '../../schemas.ts';
import { deleteDialog } from './deleteDialog.ts';
import { listLastMessage } from './listLastMessage.ts';
import { chatRow } from './rows.ts';
import { chatSettings, updateChat } from './updateChat.ts';

const list = operationRoute({
  method: 'get',
  path: '/chats',
  summary: 'My dialogs and groups, each with its last message, newest first',
  limit: 'request',
  params: z.strictObject(pageQuery),
  status: 200,
  answer: pageBody(chatRow),
  errors: [],
  operation: listLastMessage,
  toParams: ({ limit, cursor = null }) => ({ limit, cursorCreatedAt: cursor }),
  toBody: bodyByTime,
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

const settings = z.object({ data: updateChat.answer.shape.item });

const updateDialog = operationRoute({
  method: 'patch',
  path: '/dialogs/:userId/chat',
  summary: 'How my dialog with a user looks in my list: muted, pinned, with a title of mine',
  limit: 'request',
  params: chatSettings.safeExtend({ userId: id }),
  status: 200,
  answer: settings,
  errors: ['no_such_chat'],
  operation: updateChat,
  toParams: ({ userId, ...params }) => ({ receiverId: userId, ...params }),
  toBody: ({ item }) => ({ data: item }),
});

const updateGroup = operationRoute({
  method: 'patch',
  path: '/groups/:groupId/chat',
  summary: 'How a group of mine looks in my list: muted, pinned, with a title of mine',
  limit: 'request',
  params: chatSettings.safeExtend({ groupId: id }),
  status: 200,
  answer: settings,
  errors: ['not_a_member'],
  operation: updateChat,
  toParams: (params) => params,
  toBody: ({ item }) => ({ data: item }),
});

export const chatRoutes: Route[] = [
  list,
  destroy,
  { ...destroy, method: 'post', path: '/use-cases/mark-as-deleted' },
  updateDialog,
  updateGroup,
];
