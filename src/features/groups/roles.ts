import { AppError } from '../../errors.ts';
import type { Context } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import type { Role } from './events.ts';

/** @throws {AppError} `not_an_admin` for a plain member */
export function requireAdmin(mine: Role): void {
  if (mine === 'member') throw new AppError('not_an_admin');
}

/**
 * Whether who has the role `mine` may remove somebody with the role `theirs`.
 * @throws {AppError} `not_the_owner` when only the owner may
 */
export function checkRemoval(mine: Role, theirs: Role): void {
  if (mine !== 'owner' && theirs !== 'member') throw new AppError('not_the_owner');
}

/**
 * Whether who has the role `mine` may give another one to somebody who has the role `theirs`.
 * @throws {AppError} `not_the_owner` when only the owner may
 */
export function checkRoleChange(mine: Role, theirs: Role, given: Role): void {
  if (mine !== 'owner' && !(theirs === 'member' && given === 'admin')) throw new AppError('not_the_owner');
}

interface RoleChange {
  groupId: string;
  /** Whose role it is now. */
  userId: string;
  role: Role;
  /** Whether the user of the context is in the group no more. */
  hasLeft: boolean;
}

/** Tells the group that the user of the context gave somebody a role; of an owner who has left, no connection is told. */
export function announceRole({ userId, connection, services: { publisher } }: Context, { groupId, hasLeft, ...change }: RoleChange): void {
  const exceptions = hasLeft ? { exceptUserIds: [userId] } : { exceptConnectionId: connection?.id };
  publisher.publish(groupTopic(groupId), 'roleChanged', { companionId: null, groupId, ...change, changedBy: userId }, exceptions);
}
