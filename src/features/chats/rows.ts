import { z } from 'zod';
import { knownId, time } from '../../answers.ts';
import { changes } from '../messages/rows.ts';

/** How much of a conversation is new to the reader. */
export const unreadCount = z.int().describe('Messages of others that I have not read, deleted ones too. 999 stands for 999 or more');

/** A chat with its last message. */
export const chatRow = z.object({
  messageId: knownId,
  senderId: knownId,
  senderName: z.string(),
  senderLastName: z.string().nullable(),
  receiverId: knownId.nullable().describe('Whom the last message was sent to: me, or the other person of the dialog; null in a group'),
  receiverName: z.string().nullable(),
  receiverLastName: z.string().nullable(),
  groupId: knownId.nullable().describe('Null in a dialog'),
  groupName: z.string().nullable(),
  content: z.string(),
  createdAt: time,
  updatedAt: time,
  ...changes,
  unreadCount,
  companionReadSeq: z
    .int()
    .nullable()
    .describe('The other person of the dialog has read up to the message with this `seq`; null in a group'),
  memberCount: z.int().nullable().describe('Null in a dialog'),
  muted: z.boolean().describe('A setting of mine, which the server only keeps'),
  pinned: z.boolean().describe('A setting of mine, which the server only keeps: the chat stays where it is in the list'),
  title: z.string().nullable().describe('What I call the chat; null for nothing'),
  seq: z.int().describe('The last `seq` of the conversation'),
  rev: z.int().describe('The last `rev` of the conversation'),
});

export type ChatRow = z.output<typeof chatRow>;
