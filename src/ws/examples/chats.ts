import type { RequestExamples } from './example.ts';
import { ANN, BOB, FROM_ANN, GROUP, GROUP_MESSAGE, LAST_OF_DIALOG, LAST_OF_GROUP, NOON, UNCHANGED, UNREAD_MESSAGE } from './values.ts';

const SETTINGS = { muted: false, pinned: false, title: null };

const WITH_BOB = {
  ...UNCHANGED,
  ...SETTINGS,
  messageId: UNREAD_MESSAGE,
  senderId: BOB,
  senderName: 'Bob',
  senderLastName: 'Baker',
  receiverId: ANN,
  receiverName: 'Ann',
  receiverLastName: 'Archer',
  groupId: null,
  groupName: null,
  content: 'See you there',
  createdAt: NOON,
  updatedAt: NOON,
  unreadCount: 1,
  companionReadSeq: 3,
  memberCount: null,
  ...LAST_OF_DIALOG,
};

/** A chat of the chat list. */
export const THE_GROUP = {
  ...FROM_ANN,
  ...UNCHANGED,
  ...SETTINGS,
  messageId: GROUP_MESSAGE,
  receiverId: null,
  receiverName: null,
  receiverLastName: null,
  groupId: GROUP,
  groupName: 'Friends',
  content: 'Hello, everybody',
  createdAt: NOON,
  updatedAt: NOON,
  unreadCount: 0,
  companionReadSeq: null,
  memberCount: 2,
  ...LAST_OF_GROUP,
};

export const chatRequests: RequestExamples = {
  listLastMessage: {
    summary: 'My dialogs and groups, each with its last message, newest first',
    errors: [],
    params: { limit: 20, cursorCreatedAt: null },
    answer: { item: null, data: [THE_GROUP, WITH_BOB] },
  },
  updateChat: {
    summary: 'How a chat looks in my own list: silent, marked as pinned, under a title of mine, which null takes away. Nobody else sees it',
    errors: ['not_a_member', 'no_such_chat'],
    params: { receiverId: BOB, pinned: true, title: 'My brother' },
    answer: { item: { companionId: BOB, groupId: null, muted: false, pinned: true, title: 'My brother' }, data: null },
  },
};
