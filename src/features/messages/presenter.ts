import type { NewMessage, WrittenMessage } from './writeMessages.ts';

/** Where a message stands in its conversation, as the answer to its sender carries it. */
export interface Place {
  seq: number;
  rev: number;
  createdAt: string;
}

export function placeOf({ seq, rev, createdAt }: WrittenMessage): Place {
  return { seq, rev, createdAt: createdAt.toISOString() };
}

/** A message in a dialog, as the broadcast to the other person carries it. */
export function privateMessageItem(message: NewMessage, { senderName, senderLastName }: WrittenMessage, place: Place) {
  return {
    messageId: message.messageId,
    message: message.content,
    senderName,
    senderLastName,
    senderId: message.senderId,
    createdAt: place.createdAt,
    seq: place.seq,
    rev: place.rev,
  };
}

/** A message in a group, or a notification about the group, as broadcasts carry it. */
export function groupMessageItem(message: NewMessage, { groupName, senderName, senderLastName }: WrittenMessage, place: Place) {
  return {
    groupId: message.conversationId,
    groupName,
    messageId: message.messageId,
    message: message.content,
    senderName,
    senderLastName,
    senderId: message.senderId,
    notification: message.notification,
    createdAt: place.createdAt,
    seq: place.seq,
    rev: place.rev,
  };
}

/** The item of a message for the sender's other connections: it names the conversation, a dialog by the other person. */
export function ownMessageItem<Item extends object>(item: Item, { conversationId, receiverId }: NewMessage) {
  return { ...item, companionId: receiverId, groupId: receiverId === null ? conversationId : null };
}
