import type { NewMessage, WrittenMessage } from './writeMessages.ts';

/** A message in a group, or a notification about the group, as broadcasts carry it. */
export function groupMessageItem(message: NewMessage, { groupName, senderName, senderLastName, createdAt }: WrittenMessage) {
  return {
    groupId: message.conversationId,
    groupName,
    messageId: message.messageId,
    message: message.content,
    senderName,
    senderLastName,
    senderId: message.senderId,
    notification: message.notification,
    createdAt: createdAt.toISOString(),
  };
}
