import type { NewMessage } from '../messages/writeMessages.ts';

/** A message of a group that tells of a change of it. */
export const notification = (message: { groupId: string; messageId: string; senderId: string; content: string }): NewMessage => ({
  conversationId: message.groupId,
  messageId: message.messageId,
  senderId: message.senderId,
  receiverId: null,
  content: message.content,
  replyToId: null,
  notification: true,
});
