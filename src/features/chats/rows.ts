import { z } from 'zod';
import { knownId, time } from '../../answers.ts';
import { changes } from '../messages/rows.ts';

/** A chat with its last message. */
export const chatRow = z.object({
  messageId: knownId,
  senderId: knownId,
  senderName: z.string(),
  senderLastName: z.string().nullable(),
  /** Null in a group, as the receiver's names. */
  receiverId: knownId.nullable(),
  receiverName: z.string().nullable(),
  receiverLastName: z.string().nullable(),
  /** Null in a dialog, as the group's name. */
  groupId: knownId.nullable(),
  groupName: z.string().nullable(),
  content: z.string(),
  createdAt: time,
  updatedAt: time,
  ...changes,
  /** Messages of others that I have not read; 999 stands for all that are more. */
  unreadCount: z.int(),
  /** The `seq` up to which the other person of a dialog has read; null in a group. */
  companionReadSeq: z.int().nullable(),
  /** Null in a dialog. */
  memberCount: z.int().nullable(),
  /** My own settings: whether the chat is silent, whether it is at the top, and what I call it. */
  muted: z.boolean(),
  pinned: z.boolean(),
  title: z.string().nullable(),
  /** The conversation's last of both. */
  seq: z.int(),
  rev: z.int(),
});

export type ChatRow = z.output<typeof chatRow>;
