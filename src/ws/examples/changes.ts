import type { BroadcastExamples, RequestExamples } from './example.ts';
import { ANN, ANNS_MESSAGE, BOB, BOBS_MESSAGE, LAST_OF_DIALOG, NOON, REACTION, UNREAD_MESSAGE } from './values.ts';

/** In the dialog with Ann, as Bob sees it. */
const WITH_ANN = { companionId: ANN, groupId: null };
/** Each example is the next change of the dialog. */
const rev = LAST_OF_DIALOG.rev + 1;
const CHANGED = { messageId: ANNS_MESSAGE, seq: 2, rev };
const REACTED_TO = { messageId: UNREAD_MESSAGE, seq: 3, rev };

export const changeRequests: RequestExamples = {
  markRead: {
    summary: 'I have read this message and all before it. The mark never goes back',
    errors: ['not_a_member', 'no_such_message'],
    params: { receiverId: BOB, messageId: UNREAD_MESSAGE },
    answer: { item: { unreadCount: 0 }, data: null },
  },
  startTyping: {
    summary: 'I type. It ends by itself after six seconds, with a message, and with the connection; sent again it goes on',
    errors: ['not_a_member', 'no_such_user'],
    params: { receiverId: BOB },
    answer: { item: null, data: null },
  },
  stopTyping: {
    summary: 'I type no more',
    errors: ['not_a_member', 'no_such_user'],
    params: { receiverId: BOB },
    answer: { item: null, data: null },
  },
  editMessage: {
    summary: 'Gives a message of mine another content, for some time after it was sent',
    errors: ['not_a_member', 'no_such_message', 'not_the_author', 'too_late_to_edit'],
    params: { receiverId: BOB, messageId: ANNS_MESSAGE, content: 'At two' },
    answer: { item: { ...CHANGED, content: 'At two', editedAt: NOON }, data: null },
  },
  deleteMessage: {
    summary:
      'Takes back a message for everybody: one of mine, or in a group where I am the owner or an admin any. Its row stays, without content',
    errors: ['not_a_member', 'no_such_message', 'not_the_author'],
    params: { receiverId: BOB, messageId: ANNS_MESSAGE },
    answer: { item: { ...CHANGED, deletedAt: NOON }, data: null },
  },
  addReaction: {
    summary: 'Gives a message a reaction: one emoji. It may have many, of up to 20 kinds; I add no other when 10 of them are mine',
    errors: ['not_a_member', 'no_such_message', 'too_many_reactions'],
    params: { receiverId: BOB, messageId: UNREAD_MESSAGE, emoji: '👍' },
    answer: { item: { ...REACTED_TO, reactions: [{ ...REACTION, mine: true }] }, data: null },
  },
  removeReaction: {
    summary: 'Takes a reaction of mine back',
    errors: ['not_a_member', 'no_such_message'],
    params: { receiverId: BOB, messageId: BOBS_MESSAGE, emoji: '👍' },
    answer: { item: { messageId: BOBS_MESSAGE, seq: 1, rev, reactions: [] }, data: null },
  },
};

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
