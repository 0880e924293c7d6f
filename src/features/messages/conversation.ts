import { z } from 'zod';
import { id } from '../../schemas.ts';
import { dialogId } from './dialogId.ts';

/** Names one conversation: a dialog by the other person in it, or a group. `safeExtend` gives it more fields. */
export const conversationName = z
  .strictObject({
    receiverId: id.optional().describe('The other person of a dialog. Either this or `groupId`'),
    groupId: id.optional().describe('Either this or `receiverId`'),
  })
  .refine(
    ({ receiverId, groupId }) => (receiverId === undefined) !== (groupId === undefined),
    'must have either a receiverId or a groupId, and not both',
  );

/** How a conversation is named to a user: a dialog by the other person in it, which is the user in the dialog with oneself, or a group. */
export type Address = { companionId: string; groupId: null } | { companionId: null; groupId: string };

/** A conversation that a user has named, which need not exist. */
export type NamedConversation = Address & { conversationId: string; kind: 'dialog' | 'group' };

/** The conversation that `userId` means by the name. */
export function conversationOf(userId: string, { receiverId, groupId }: z.output<typeof conversationName>): NamedConversation {
  if (receiverId !== undefined)
    return { conversationId: dialogId(userId, receiverId), kind: 'dialog', companionId: receiverId, groupId: null };
  if (groupId !== undefined) return { conversationId: groupId, kind: 'group', companionId: null, groupId };
  throw new Error('no conversation is named');
}

/** Of a group with more members than this not everybody is told what each of them reads, and not all the time who types. */
const MANY_MEMBERS = 100;

export const isLargeGroup = (memberCount: number): boolean => memberCount > MANY_MEMBERS;
