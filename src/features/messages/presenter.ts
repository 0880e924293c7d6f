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
