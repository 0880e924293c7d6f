import { z } from 'zod';
import { id } from '../../schemas.ts';
import { dialogId } from './dialogId.ts';

/** Names one conversation: a dialog by the other person in it, or a group; the other id is absent or null. `safeExtend` gives it more fields. */
export const conversationName = z
  .strictObject({
    receiverId: id.nullish().describe('The other person of a dialog. Either this or `groupId`'),
    groupId: id.nullish().describe('Either this or `receiverId`'),
  })
  .refine(({ receiverId, groupId }) => [receiverId, groupId].filter((id) => id !== undefined && id !== null).length === 1, {
    path: ['receiverId'],
    error: 'must be given where groupId is not, and only there',
  });

/** How a conversation is named to a user: a dialog by the other person in it, which is the user in the dialog with oneself, or a group. */
export type Address = { companionId: string; groupId: null } | { companionId: null; groupId: string };

/** A conversation that a user has named, which need not exist. */
export type NamedConversation = Address & { conversationId: string; kind: 'dialog' | 'group' };

/** The conversation that `userId` means by the name. */
export function conversationOf(userId: string, { receiverId, groupId }: z.output<typeof conversationName>): NamedConversation {
  if (receiverId) return { conversationId: dialogId(userId, receiverId), kind: 'dialog', companionId: receiverId, groupId: null };
  if (groupId) return { conversationId: groupId, kind: 'group', companionId: null, groupId };
  throw new Error('no conversation is named');
}

/** Of a group with more members than this not everybody is told what each of them reads, and not all the time who types. */
const MANY_MEMBERS = 100;

export const isLargeGroup = (memberCount: number): boolean => memberCount > MANY_MEMBERS;
