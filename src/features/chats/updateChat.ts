import { z } from 'zod';
import { one } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { chatTitle } from '../../schemas.ts';
import { conversationName, conversationOf } from '../messages/conversation.ts';
import { address } from '../messages/rows.ts';
import { chatRow } from './rows.ts';

const settings = z.strictObject({
  muted: z.boolean().optional(),
  pinned: z.boolean().optional(),
  title: chatTitle.nullable().optional(),
});

const hasSome = ({ muted, pinned, title }: z.output<typeof settings>) => [muted, pinned, title].some((value) => value !== undefined);
const NONE = 'must have something to change';

/** How a chat shall look, and at least one of it. A title of null is none. */
export const chatSettings = settings.refine(hasSome, NONE);

/** `updateChat`: how a chat looks in my own list. */
export const updateChat = operation({
  params: conversationName.safeExtend(settings.shape).refine(hasSome, NONE),
  answer: one(z.object(address).extend(chatRow.pick({ muted: true, pinned: true, title: true }).shape)),
  async handle({ userId, services: { database } }, { receiverId, groupId, ...changes }) {
    const conversation = conversationOf(userId, { receiverId, groupId });
    const { conversationId, companionId } = conversation;
    const where = { conversationId, userId, companionId };
    const [, [member]] = await database.members.update(changes, { where, returning: true });
    if (!member) throw new AppError(companionId === null ? 'not_a_member' : 'no_such_chat');
    const { muted, pinned, title } = member;
    return { item: { companionId, groupId: conversation.groupId, muted, pinned, title }, data: null };
  },
});
