import type { z } from 'zod';
import type { Place } from '../../answers.ts';
import type { HistoryRow } from './columns.ts';
import type { Address } from './conversation.ts';
import type { groupMessage, privateMessage } from './events.ts';
import type { dialogRow, groupRow, messageRow } from './rows.ts';
import type { NewMessage, WrittenMessage } from './writeMessages.ts';

/** Where a message stands in its conversation, as the answer to its sender carries it. */
export function placeOf({ seq, rev, createdAt }: WrittenMessage): Place {
  return { seq, rev, createdAt: createdAt.toISOString() };
}

/** What a message answers, for those to whom it is hidden or for the others. */
function replyTo({ replyToId: messageId }: NewMessage, { quoted }: WrittenMessage, isHidden: boolean) {
  if (messageId === null || quoted === null) return null;
  const { senderName, content, isDeleted } = quoted;
  return { messageId, senderName, content: isHidden ? '' : content, deleted: isHidden || isDeleted };
}

/** A message in a dialog, as the broadcast to the other person carries it. */
export function privateMessageItem(message: NewMessage, written: WrittenMessage, place: Place): z.output<typeof privateMessage> {
  return {
    messageId: message.messageId,
    message: message.content,
    senderName: written.senderName,
    senderLastName: written.senderLastName,
    senderId: message.senderId,
    createdAt: place.createdAt,
    replyTo: replyTo(message, written, written.quoted?.isHidden ?? false),
    seq: place.seq,
    rev: place.rev,
  };
}

/** A message in a group, or a notification about the group, as broadcasts carry it. */
export function groupMessageItem(message: NewMessage, written: WrittenMessage, place: Place): z.output<typeof groupMessage> {
  return {
    groupId: message.conversationId,
    groupName: written.groupName,
    messageId: message.messageId,
    message: message.content,
    senderName: written.senderName,
    senderLastName: written.senderLastName,
    senderId: message.senderId,
    notification: message.notification,
    createdAt: place.createdAt,
    replyTo: replyTo(message, written, false),
    seq: place.seq,
    rev: place.rev,
  };
}

/** The item of a message for the sender's other connections: it names the conversation, and shows what the sender may see. */
export function ownMessageItem<Item extends object>(item: Item, message: NewMessage, written: WrittenMessage) {
  const { conversationId, receiverId } = message;
  const groupId = receiverId === null ? conversationId : null;
  return { ...item, replyTo: replyTo(message, written, false), companionId: receiverId, groupId };
}

const changesOf = ({ editedAt, deletedAt, replyTo, reactions }: HistoryRow) => ({ editedAt, deletedAt, replyTo, reactions });

/** A message, as the history of a dialog shows it. */
export function dialogRowOf(row: HistoryRow): z.output<typeof dialogRow> {
  const { messageId, senderId, senderName, receiverId, receiverName, content, createdAt, seq, rev } = row;
  return { messageId, senderId, senderName, receiverId, receiverName, content, createdAt, ...changesOf(row), seq, rev };
}

/** A message, as the history of the group shows it. */
export function groupRowOf(groupId: string, row: HistoryRow): z.output<typeof groupRow> {
  const { messageId, senderId, senderName, senderLastName, groupName, content, createdAt, seq, rev } = row;
  return {
    notification: row.notification || null,
    messageId,
    senderId,
    senderName,
    senderLastName,
    groupId,
    groupName,
    content,
    createdAt,
    ...changesOf(row),
    seq,
    rev,
  };
}

/** A message, with the conversation that it is in. */
export function messageRowOf({ companionId, groupId }: Address, row: HistoryRow): z.output<typeof messageRow> {
  return {
    companionId,
    groupId,
    messageId: row.messageId,
    senderId: row.senderId,
    senderName: row.senderName,
    senderLastName: row.senderLastName,
    receiverId: row.receiverId,
    receiverName: row.receiverName,
    groupName: row.groupName,
    notification: row.notification || null,
    content: row.content,
    createdAt: row.createdAt,
    ...changesOf(row),
    seq: row.seq,
    rev: row.rev,
  };
}
