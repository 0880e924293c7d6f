import { z } from 'zod';
import { knownId, rev, seq, time } from '../../answers.ts';
import { address, answered, changedPlace, reactionCount } from './rows.ts';

/** What every change of a message says. */
const changed = changedPlace.extend(address);

/** Somebody has read a message and all before it. */
export const messageRead = z.object({
  ...address,
  readerId: knownId,
  messageId: knownId.describe('The last message that was read'),
  seq: z.int().describe('Its number. Of several marks of a reader the highest counts'),
  readAt: time,
});

/** Somebody begins to type, or types still, or does no more. */
export const userTyping = z.object({ ...address, userId: knownId, isTyping: z.boolean().describe('False when the user types no more') });

export const messageEdited = changed.extend({ content: z.string(), editedAt: time });

export const messageDeleted = changed.extend({ deletedAt: time });

/** The user gave a reaction, or took it back. */
export const reactionsChanged = changed.extend({
  userId: knownId,
  emoji: z.string(),
  isAdded: z.boolean().describe('False when it was taken back'),
  reactions: z.array(reactionCount.omit({ mine: true })).describe('All that the message has now'),
});

const sentMessage = z.object({
  messageId: knownId,
  message: z.string(),
  senderName: z.string(),
  senderLastName: z.string().nullable(),
  senderId: knownId,
  createdAt: z.iso.datetime({ precision: 3 }),
  replyTo: answered,
  seq,
  rev,
});

/** A message in a dialog, as the other person receives it. */
export const privateMessage = sentMessage;

/** A message in a group, or a notification about the group. */
export const groupMessage = sentMessage.extend({
  groupId: knownId,
  groupName: z.string().nullable(),
  notification: z.boolean().describe('True for what tells of a change of the group'),
});

/** The same for the sender's other connections: they are told which dialog it is in. */
export const ownPrivateMessage = privateMessage.extend(address);
export const ownGroupMessage = groupMessage.extend(address);
