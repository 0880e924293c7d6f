import { z } from 'zod';
import { knownId } from '../../answers.ts';
import { address } from '../messages/rows.ts';

/** What a member may do in a group. */
const ROLES = ['owner', 'admin', 'member'] as const;
export const role = z.enum(ROLES, `must be one of ${ROLES.join(', ')}`);
export type Role = z.output<typeof role>;

/** A group has another name or description. */
export const groupUpdated = z.object({ ...address, groupName: z.string(), description: z.string().nullable(), updatedBy: knownId });

/** Somebody was removed from a group by another member. */
export const memberRemoved = z.object({ ...address, userId: knownId.describe('Who was removed'), removedBy: knownId });

/** A member of a group may do more or less than before. */
export const roleChanged = z.object({ ...address, userId: knownId, role, changedBy: knownId });

/** A group exists no more, or no more for who is told. */
export const groupDropped = z.object({ groupId: knownId });
export const ownGroupDropped = groupDropped.extend({ companionId: knownId.nullable() });
