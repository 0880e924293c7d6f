import { z } from 'zod';
import { knownId, time } from '../../answers.ts';

const presence = z.object({
  status: z.enum(['online', 'offline']),
  lastSeenAt: time.nullable().describe('When the last connection was closed; null when that is not known'),
});

/** Whether a user has a connection anywhere, and if not, when the last one was closed; null when that is not known. */
export type Presence = z.output<typeof presence>;

/** A user's presence, as clients see it. */
export const userStatus = presence.extend({ userId: knownId });
export type UserStatus = z.output<typeof userStatus>;

/** Keeps who is online. What it says may be late, or lost at any moment: nothing but presence depends on it. */
export interface PresenceStore {
  /** The user's first connection to this process was opened. Rejects when that was not stored. */
  enter(userId: string): Promise<unknown>;
  /** The user's last connection to this process was closed. Rejects when that was not stored. */
  leave(userId: string): Promise<unknown>;
  /** How it is with each of the users, in their order. Reads that begin later know more. */
  read(userIds: string[]): Promise<Presence[]>;
  /**
   * Says that this process lives, to be called every few seconds. Resolves with whether it comes late: who has entered may have been
   * taken for gone, and other processes may be as late.
   */
  renew(): Promise<boolean>;
  /** Resolves with whether another process has died since the last call. One that was closed has not. */
  deaths(): Promise<boolean>;
  /** This process ends. */
  close(): Promise<unknown>;
}
