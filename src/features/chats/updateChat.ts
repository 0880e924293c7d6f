import { Op } from 'sequelize';
import { z } from 'zod';
import { one } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { chatTitle } from '../../schemas.ts';
import { requireAccount } from '../auth/accounts.ts';
import { conversationName, conversationOf } from '../messages/conversation.ts';
import { address } from '../messages/rows.ts';
import { chatRow } from './rows.ts';

const settings = { muted: z.boolean().optional(), pinned: z.boolean().optional(), title: chatTitle.nullable().optional() };

/** `updateChat`: how a chat looks in my own list. A title of null is none. */
export const updateChat = operation({
  exclusive: true,
  inTurn: true,
  params: conversationName
    .safeExtend(settings)
    .refine(({ muted, pinned, title }) => [muted, pinned, title].some((value) => value !== undefined), 'must have something to change'),
  answer: one(z.object(address).extend(chatRow.pick({ muted: true, pinned: true, title: true }).shape)),
  async handle({ userId, services: { database } }, { receiverId, groupId, ...changes }) {
    const conversation = conversationOf(userId, { receiverId, groupId });
    const { conversationId, kind, companionId } = conversation;
    if (companionId !== null) await requireAccount(database, userId);
    const hasBegun = await database.conversations.count({ where: { id: conversationId, kind, lastSeq: { [Op.gt]: 0 } } });
    const where = { conversationId, userId, companionId };
    const [, [member]] = hasBegun ? await database.members.update(changes, { where, returning: true }) : [0, []];
    if (!member) throw new AppError(companionId === null ? 'not_a_member' : 'no_such_chat');
    const { muted, pinned, title } = member;
    return { item: { companionId, groupId: conversation.groupId, muted, pinned, title }, data: null };
  },
});
