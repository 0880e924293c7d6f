import type { BroadcastExamples } from './example.ts';
import { ANN, ANNS_MESSAGE, NOON, UNREAD_MESSAGE } from './values.ts';

/** In the dialog with Ann, as Bob sees it. */
const WITH_ANN = { companionId: ANN, groupId: null };
const REACTION = { emoji: '👍', count: 1 };
const CHANGED = { messageId: ANNS_MESSAGE, seq: 2, rev: 4 };
const REACTED_TO = { messageId: UNREAD_MESSAGE, seq: 3, rev: 4 };

export const changeBroadcasts: BroadcastExamples = {
  messageRead: {
    summary:
      'Somebody has read a message and all before it: to the others, and to the own other devices. In a group of more than 100 members, of the others only to who wrote the message',
    item: { ...WITH_ANN, readerId: ANN, messageId: UNREAD_MESSAGE, seq: 3, readAt: NOON },
  },
  userTyping: {
    summary: 'Somebody types, which ends by itself after six seconds, or does no more: to the others',
    item: { ...WITH_ANN, userId: ANN, isTyping: true },
  },
  messageEdited: {
    summary: 'A message has another content: to everybody in the conversation',
    item: { ...WITH_ANN, ...CHANGED, content: 'At two', editedAt: NOON },
  },
  messageDeleted: {
    summary: 'A message was deleted: to everybody in the conversation',
    item: { ...WITH_ANN, ...CHANGED, deletedAt: NOON },
  },
  reactionsChanged: {
    summary: 'Somebody gave a reaction or took one back: to everybody in the conversation',
    item: { ...WITH_ANN, ...REACTED_TO, userId: ANN, emoji: '👍', isAdded: true, reactions: [REACTION] },
  },
};
