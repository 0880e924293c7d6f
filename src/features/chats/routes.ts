import { z } from 'zod';
import { type Route, route } from '../../http/route.ts';
import { id } from '../../schemas.ts';
import { deleteDialog } from './deleteDialog.ts';

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

export const chatRoutes: Route[] = [destroy, { ...destroy, method: 'post', path: '/use-cases/mark-as-deleted' }];
