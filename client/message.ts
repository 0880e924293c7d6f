import type { Place } from '../src/answers.ts';
import type { AnswerParams, MessageItem } from './wire.ts';

/** A conversation as this user sees it: the other person of a dialog, or a group. One of them is null. */
export interface Conversation {
  companionId: string | null;
  groupId: string | null;
}

/** A message, however the client learnt of it. */
export interface Message extends Conversation, Place {
  messageId: string;
  senderId: string;
  /** Null in what this client itself sent: the application knows the name of its user. */
  senderName: string | null;
  senderLastName: string | null;
  /** Null in a dialog, and in what this client itself sent. */
  groupName: string | null;
  content: string;
  /** Whether it tells of a change of the group. */
  notification: boolean;
}

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
  const { messageId, senderId, senderName, senderLastName, message: content, createdAt, seq, rev } = item;
  const { groupName, notification } = 'groupName' in item ? item : { groupName: null, notification: false };
  const conversation = conversationOfItem(item);
  return { ...conversation, messageId, senderId, senderName, senderLastName, groupName, content, notification, createdAt, seq, rev };
}

function conversationOfItem(item: MessageItem): Conversation {
  if ('companionId' in item) return { companionId: item.companionId, groupId: item.groupId };
  return 'groupId' in item ? { companionId: null, groupId: item.groupId } : { companionId: item.senderId, groupId: null };
}

export function messageOfRow(row: MissedRow): Message {
  const { companionId, groupId, messageId, senderId, senderName, senderLastName, groupName, content, createdAt, seq, rev } = row;
  const conversation = { companionId, groupId };
  const notification = row.notification === true;
  return { ...conversation, messageId, senderId, senderName, senderLastName, groupName, content, notification, createdAt, seq, rev };
}
