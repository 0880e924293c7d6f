import { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import { type Route, route } from '../../http/route.ts';
import type { Operation } from '../../operation.ts';
import { id } from '../../schemas.ts';
import type { conversationName } from './conversation.ts';

interface Definition {
  method: Route['method'];
  /** Below the conversation. */
  path: string;
  summary: (conversation: string) => string;
  /** Errors that both may answer. */
  errors: ErrorCode[];
  /** Errors that only a dialog may answer; a group may answer `not_a_member`. */
  dialogErrors?: ErrorCode[];
  operation: Operation<typeof conversationName, z.ZodObject<{ item: z.ZodObject; data: z.ZodNull }>>;
}

/** Two paths to an operation on a conversation, for dialogs and for groups. They take what it takes beside the conversation. */
export function conversationRoutes({ method, path, summary, errors, dialogErrors = [], operation }: Definition): Route[] {
  const { receiverId: _receiverId, groupId: _groupId, ...fields } = operation.params.shape;
  const common = { method, status: 200, answer: z.object({ data: operation.answer.shape.item }) } as const;
  const ofDialog = route({
    ...common,
    path: `/dialogs/:userId${path}`,
    summary: summary('my dialog with a user'),
    params: z.strictObject({ userId: id, ...fields }),
    errors: [...dialogErrors, ...errors],
    handle: async (context, { userId, ...params }) => ({ data: (await operation.run(context, { receiverId: userId, ...params })).item }),
  });
  const ofGroup = route({
    ...common,
    path: `/groups/:groupId${path}`,
    summary: summary('a group of mine'),
    params: z.strictObject({ groupId: id, ...fields }),
    errors: ['not_a_member', ...errors],
    handle: async (context, params) => ({ data: (await operation.run(context, params)).item }),
  });
  return [ofDialog, ofGroup];
}
