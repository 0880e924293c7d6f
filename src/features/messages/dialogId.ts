import { hash } from 'node:crypto';

/**
 * The id of the dialog between two users, the same from both sides, so that no look-up finds it.
 * Its variant bits are reserved ones, which no group may have (see `isGroupId`): nobody can take a dialog's id for a group.
 */
export function dialogId(oneUserId: string, otherUserId: string): string {
  const pair = oneUserId < otherUserId ? oneUserId + otherUserId : otherUserId + oneUserId;
  const hex = hash('sha256', pair);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-f${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Whether a lower-cased UUID may be a group's id. */
export function isGroupId(uuid: string): boolean {
  return uuid[19] !== 'f';
}
