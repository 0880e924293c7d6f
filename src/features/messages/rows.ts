import { z } from 'zod';
import { knownId, rev, seq, time } from '../../answers.ts';

/** Characters of a message that are shown where another one answers it. */
export const QUOTED_LENGTH = 200;

/** The message that another one answers. */
const quotedMessage = z.object({
  messageId: knownId,
  senderName: z.string(),
  content: z.string().describe(`Its first ${QUOTED_LENGTH} characters`),
  deleted: z.boolean().describe('True when it was deleted, or is in a part of the dialog that I have deleted: its content is empty then'),
});

/** The same, where a message may answer one. */
export const answered = quotedMessage.nullable().describe('The message that this one answers; null when it answers none');

/** One kind of reaction to a message. */
export const reactionCount = z.object({
  emoji: z.string(),
  count: z.int(),
  mine: z.boolean().describe('Whether I am among those who gave it'),
});

/** What became of a message after it was sent. */
export const changes = {
  editedAt: time.nullable().describe('Null when it was never edited'),
  deletedAt: time
    .nullable()
    .describe('Null when it was not deleted. A deleted message stays in its place, with an empty content and without reactions'),
  replyTo: answered,
  reactions: z.array(reactionCount).describe('In the order in which each was given first'),
};

/** A message that was changed, and where it stands now. */
export const changedPlace = z.object({ messageId: knownId, seq, rev });

const message = z.object({
  messageId: knownId,
  senderId: knownId,
  senderName: z.string(),
  content: z.string(),
  createdAt: time,
  ...changes,
  seq,
  rev,
});

/** A message in the history of a dialog. */
export const dialogRow = message.extend({ receiverId: knownId.nullable(), receiverName: z.string().nullable() });

const notification = z.literal(true).nullable().describe('`true` for what tells of a change of the group, else null');

/** A message in the history of a group. */
export const groupRow = message.extend({
  notification,
  senderLastName: z.string().nullable(),
  groupId: knownId,
  groupName: z.string().nullable(),
});

/** How a conversation is named to a user. */
export const address = {
  companionId: knownId.nullable().describe('The other person of the dialog, as I know it; null in a group'),
  groupId: knownId.nullable().describe('Null in a dialog'),
};

/** A message of any conversation. */
export const messageRow = message.extend({
  ...address,
  senderLastName: z.string().nullable(),
  receiverId: knownId.nullable(),
  receiverName: z.string().nullable(),
  groupName: z.string().nullable(),
  notification,
});
