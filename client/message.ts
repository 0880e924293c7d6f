import type { Place } from '../src/answers.ts';
import type { AnswerParams, MessageItem, Reaction } from './wire.ts';

/** A conversation as this user sees it: the other person of a dialog, or a group. One of them is null. */
export interface Conversation {
  companionId: string | null;
  groupId: string | null;
}

/** A message, however the client learnt of it. */
export interface Message extends Conversation, Place {
  messageId: string;
  senderId: string;
  /** May be null in messages of this user, whose name the application knows: what a client sent itself it is not told again. */
  senderName: string | null;
  senderLastName: string | null;
  /** Null in a dialog; may be null in messages of this user. */
  groupName: string | null;
  content: string;
  /** Whether it tells of a change of the group. */
  notification: boolean;
  /** When its content was changed last; null where it is as it was sent. */
  editedAt: string | null;
  /** When it was deleted. Its content is empty then; null where it is not deleted. */
  deletedAt: string | null;
  /** What it answers, as that was when the client learnt of it. */
  replyTo: MissedRow['replyTo'];
  reactions: Reaction[];
}

/** What a message is before anybody changes it. */
export const UNCHANGED = { editedAt: null, deletedAt: null, reactions: [] };

type ChatRow = AnswerParams<'listLastMessage'>['data'][number];
type MissedRow = AnswerParams<'getMissed'>['data'][number];

/** Tells conversations apart. */
export function keyOf({ companionId, groupId }: Conversation): string {
  return groupId === null ? `dialog ${companionId}` : `group ${groupId}`;
}

/** The conversation of a row of the chat list. */
export function conversationOf({ senderId, receiverId, groupId }: ChatRow, userId: string): Conversation {
  if (groupId !== null) return { companionId: null, groupId };
  return { companionId: senderId === userId ? receiverId : senderId, groupId: null };
}

export function messageOfItem(item: MessageItem): Message {
  const { messageId, senderId, senderName, senderLastName, message: content, createdAt, replyTo, seq, rev } = item;
  const { groupName, notification } = 'groupName' in item ? item : { groupName: null, notification: false };
  const conversation = conversationOfItem(item);
  const sender = { senderId, senderName, senderLastName };
  return { ...conversation, messageId, ...sender, groupName, content, notification, ...UNCHANGED, replyTo, createdAt, seq, rev };
}

function conversationOfItem(item: MessageItem): Conversation {
  if ('companionId' in item) return { companionId: item.companionId, groupId: item.groupId };
  return 'groupId' in item ? { companionId: null, groupId: item.groupId } : { companionId: item.senderId, groupId: null };
}

export function messageOfRow(row: MissedRow): Message {
  const { companionId, groupId, messageId, senderId, senderName, senderLastName, groupName, content, createdAt, seq, rev } = row;
  const { editedAt, deletedAt, replyTo, reactions } = row;
  const named = { companionId, groupId, messageId, senderId, senderName, senderLastName, groupName };
  const notification = row.notification === true;
  return { ...named, content, notification, editedAt, deletedAt, replyTo, reactions, createdAt, seq, rev };
}
