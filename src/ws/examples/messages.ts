import { THE_GROUP } from './chats.ts';
import type { BroadcastExamples, RequestExamples } from './example.ts';
import {
  ADDITION,
  ANN,
  ANNS_MESSAGE,
  BOB,
  BOBS_MESSAGE,
  FROM_ANN,
  GROUP,
  GROUP_MESSAGE,
  LATER,
  NEW_ID,
  NEXT_IN_DIALOG,
  NEXT_IN_GROUP,
  NOON,
  QUOTED,
  REACTION,
  UNCHANGED,
  UNREAD_MESSAGE,
} from './values.ts';

const BY_ANN = { senderId: ANN, senderName: 'Ann', receiverId: BOB, receiverName: 'Bob' };
const BY_BOB = { senderId: BOB, senderName: 'Bob', receiverId: ANN, receiverName: 'Ann' };

/** The messages of the dialog. */
const FIRST = {
  ...UNCHANGED,
  ...BY_BOB,
  messageId: BOBS_MESSAGE,
  content: 'Lunch?',
  createdAt: NOON,
  reactions: [{ ...REACTION, mine: true }],
  seq: 1,
  rev: 4,
};
const SECOND = { ...UNCHANGED, ...BY_ANN, messageId: ANNS_MESSAGE, content: 'At one', createdAt: NOON, replyTo: QUOTED, seq: 2, rev: 2 };
const THIRD = { ...UNCHANGED, ...BY_BOB, messageId: UNREAD_MESSAGE, content: 'See you there', createdAt: NOON, seq: 3, rev: 3 };

/** What messages of the dialog are said to be among those of all conversations. */
const IN_DIALOG = { companionId: BOB, groupId: null, groupName: null, notification: null };
const FROM_BOB = { ...IN_DIALOG, senderLastName: 'Baker' };

const IN_GROUP = { ...UNCHANGED, ...FROM_ANN, groupId: GROUP, groupName: 'Friends', createdAt: NOON };

const SENT = { ...FROM_ANN, messageId: NEW_ID, createdAt: LATER };
const TO_BOB = { ...SENT, message: 'See you', replyTo: QUOTED, seq: NEXT_IN_DIALOG.seq, rev: NEXT_IN_DIALOG.rev };
const TO_GROUP = {
  ...SENT,
  groupId: GROUP,
  groupName: 'Friends',
  message: 'Lunch at one',
  notification: false,
  replyTo: null,
  seq: NEXT_IN_GROUP.seq,
  rev: NEXT_IN_GROUP.rev,
};

export const messageRequests: RequestExamples = {
  getlatestMessageDialog: {
    summary: 'A page of my dialog with a user, newest first',
    errors: [],
    params: { receiverId: BOB, limit: 50, cursorCreatedAt: null },
    answer: { item: null, data: [THIRD, SECOND, FIRST] },
  },
  getlatestMessageGroup: {
    summary: 'A page of a group of mine, newest first',
    errors: ['not_a_member'],
    params: { groupId: GROUP, limit: 2, cursorCreatedAt: null },
    answer: {
      item: null,
      data: [
        { ...IN_GROUP, notification: null, messageId: GROUP_MESSAGE, content: 'Hello, everybody', seq: 3, rev: 3 },
        { ...IN_GROUP, notification: true, messageId: ADDITION, content: 'added', seq: 2, rev: 2 },
      ],
    },
  },
  getMissed: {
    summary: 'What has changed since the client knew its conversations, and what else has something new',
    errors: [],
    params: {
      cursors: [{ receiverId: BOB, afterRev: 2 }],
      changedSince: '2026-01-31T00:00:00.000Z',
      limit: 500,
    },
    answer: {
      item: { more: [], reset: [], gone: [], cleared: [], chats: [THE_GROUP], moreChats: false, changedSince: NOON },
      data: [
        { ...THIRD, ...FROM_BOB },
        { ...FIRST, ...FROM_BOB },
      ],
    },
  },
  searchMessages: {
    summary:
      'Messages with these words, the last of which may be the beginning of one: in one conversation of mine or in all, newest first. A page may have few rows or none and still a `nextCursor`: then others follow',
    errors: ['not_a_member'],
    params: { text: 'at on', limit: 20, cursor: null },
    answer: {
      item: { nextCursor: null },
      data: [
        {
          ...SECOND,
          ...IN_DIALOG,
          senderLastName: 'Archer',
          excerpt: [
            { text: 'At', isMatch: true },
            { text: ' ', isMatch: false },
            { text: 'one', isMatch: true },
          ],
        },
      ],
    },
  },
  privateMessage: {
    summary: 'Sends a message to a user. The same messageId again stores nothing, and has the same answer',
    errors: ['no_such_user', 'no_such_message', 'message_id_taken'],
    params: { messageId: NEW_ID, receiverId: BOB, content: 'See you', replyToId: BOBS_MESSAGE },
    answer: { item: null, data: null, place: NEXT_IN_DIALOG },
  },
  messageInGroup: {
    summary: 'Sends a message to a group of mine. The same messageId again stores nothing, and has the same answer',
    errors: ['not_a_member', 'no_such_message', 'message_id_taken'],
    params: { messageId: NEW_ID, groupId: GROUP, content: 'Lunch at one' },
    answer: { item: null, data: null, place: NEXT_IN_GROUP },
  },
};

export const messageBroadcasts: BroadcastExamples = {
  privateMessage: {
    summary: 'Somebody has written to me: to all my connections',
    item: TO_BOB,
    own: { ...TO_BOB, companionId: BOB, groupId: null },
  },
  messageInGroup: {
    summary: 'Somebody has written to a group: to every other member',
    item: TO_GROUP,
    own: { ...TO_GROUP, companionId: null },
  },
};
