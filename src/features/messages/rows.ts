import { z } from 'zod';
import { knownId, time } from '../../answers.ts';

/** Characters of a message that are shown where another one answers it. */
export const QUOTED_LENGTH = 200;

/** The message that another one answers. */
export const quotedMessage = z.object({
  messageId: knownId,
  senderName: z.string(),
  /** The first `QUOTED_LENGTH` characters. */
  content: z.string(),
  /** Whether it has been deleted; its content is empty then. */
  deleted: z.boolean(),
});

/** One kind of reaction to a message, and whether the reader is among those who gave it. */
export const reactionCount = z.object({ emoji: z.string(), count: z.int(), mine: z.boolean() });

/** What became of a message after it was sent. */
export const changes = {
  editedAt: time.nullable(),
  deletedAt: time.nullable(),
  replyTo: quotedMessage.nullable(),
  reactions: z.array(reactionCount),
};

/** A message that was changed, and where it stands now. */
export const changedPlace = z.object({ messageId: knownId, seq: z.int(), rev: z.int() });

const message = z.object({
  messageId: knownId,
  senderId: knownId,
  senderName: z.string(),
  content: z.string(),
  createdAt: time,
  ...changes,
  seq: z.int(),
  rev: z.int(),
});

/** A message in the history of a dialog. */
export const dialogRow = message.extend({ receiverId: knownId.nullable(), receiverName: z.string().nullable() });

/** A message in the history of a group. */
export const groupRow = message.extend({
  /** `true` for what tells of a change of the group, else null. */
  notification: z.literal(true).nullable(),
  senderLastName: z.string().nullable(),
  groupId: knownId,
  groupName: z.string().nullable(),
});

/** How a conversation is named to a user: a dialog by the other person in it, a group by itself; the other one is null. */
export const address = { companionId: knownId.nullable(), groupId: knownId.nullable() };

/** A message of any conversation. */
export const messageRow = message.extend({
  ...address,
  senderLastName: z.string().nullable(),
  receiverId: knownId.nullable(),
  receiverName: z.string().nullable(),
  groupName: z.string().nullable(),
  notification: z.literal(true).nullable(),
});
