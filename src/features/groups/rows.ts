import { z } from 'zod';
import { knownId, time } from '../../answers.ts';
import type { Conversation } from '../../db/models/conversation.ts';
import type { Member } from '../../db/models/member.ts';
import { role } from './events.ts';

/** A group, as one of its members sees it. */
export const groupDetails = z.object({
  groupId: knownId,
  groupName: z.string(),
  description: z.string().nullable(),
  memberCount: z.int(),
  role: role.describe('My own'),
  createdAt: time,
});
export type GroupDetails = z.output<typeof groupDetails>;

/** A member of a group. */
export const memberRow = z.object({
  userId: knownId,
  firstName: z.string(),
  lastName: z.string().nullable(),
  role,
  joinedAt: time,
});
export type MemberRow = z.output<typeof memberRow>;

/** The group, as the member `me` sees it. */
export function groupDetailsOf({ id: groupId, name, description, memberCount, createdAt }: Conversation, me: Member): GroupDetails {
  return { groupId, groupName: name ?? '', description, memberCount, role: me.role, createdAt };
}
