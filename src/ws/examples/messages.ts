import { THE_GROUP } from './chats.ts';
import type { BroadcastExamples, RequestExamples } from './example.ts';
import {
  ANN,
  ANNS_MESSAGE,
  BOB,
  BOBS_MESSAGE,
  FROM_ANN,
  GROUP,
  GROUP_MESSAGE,
  LATER,
  NEW_ID,
  NOON,
  PLACE,
  QUOTED,
  UNCHANGED,
} from './values.ts';

const WRITTEN = { ...UNCHANGED, senderId: ANN, senderName: 'Ann', createdAt: NOON };
const IN_DIALOG = { messageId: ANNS_MESSAGE, content: 'At one', replyTo: QUOTED, seq: 2, rev: 2 };
const REACTION = { emoji: '👍', count: 1 };

/** The same among messages of all conversations. */
const ANYWHERE = {
  ...WRITTEN,
  ...IN_DIALOG,
  companionId: BOB,
  groupId: null,
  senderLastName: 'Archer',
  receiverId: BOB,
  receiverName: 'Bob',
  groupName: null,
  notification: null,
  reactions: [{ ...REACTION, mine: false }],
};

const SENT = { ...FROM_ANN, messageId: NEW_ID, createdAt: LATER, seq: PLACE.seq, rev: PLACE.rev };
const TO_BOB = { ...SENT, message: 'See you', replyTo: QUOTED };
const TO_GROUP = { ...SENT, groupId: GROUP, groupName: 'Friends', message: 'Lunch at one', notification: false, replyTo: null };

export const messageRequests: RequestExamples = {
  getlatestMessageDialog: {
    summary: 'A page of my dialog with a user, newest first',
    errors: [],
    params: { receiverId: BOB, limit: 50, cursorCreatedAt: null },
    answer: {
      item: null,
      data: [{ ...WRITTEN, ...IN_DIALOG, receiverId: BOB, receiverName: 'Bob', reactions: [{ ...REACTION, mine: false }] }],
    },
  },
  getlatestMessageGroup: {
    summary: 'A page of a group of mine, newest first',
    errors: ['not_a_member'],
    params: { groupId: GROUP, limit: 50, cursorCreatedAt: null },
    answer: {
      item: null,
      data: [
        {
          ...WRITTEN,
          notification: null,
          messageId: GROUP_MESSAGE,
          senderLastName: 'Archer',
          groupId: GROUP,
          groupName: 'Friends',
          content: 'Hello, everybody',
          seq: 3,
          rev: 3,
        },
      ],
    },
  },
  getMissed: {
    summary: 'What has changed since the client knew its conversations, and what else has something new',
    errors: [],
    params: {
      cursors: [{ receiverId: BOB, afterRev: 1 }],
      changedSince: '2026-01-31T00:00:00.000Z',
      limit: 500,
    },
    answer: {
      item: { more: [], reset: [], gone: [], cleared: [], chats: [THE_GROUP], moreChats: false, changedSince: NOON },
      data: [ANYWHERE],
    },
  },
  searchMessages: {
    summary:
      'Messages with these words, the last of which may be the beginning of one: in one conversation of mine or in all, newest first',
    errors: ['not_a_member'],
    params: { text: 'at on', limit: 20, cursor: null },
    answer: {
      item: { nextCursor: null },
      data: [
        {
          ...ANYWHERE,
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
    answer: { item: null, data: null, place: PLACE },
  },
  messageInGroup: {
    summary: 'Sends a message to a group of mine. The same messageId again stores nothing, and has the same answer',
    errors: ['not_a_member', 'no_such_message', 'message_id_taken'],
    params: { messageId: NEW_ID, groupId: GROUP, content: 'Lunch at one' },
    answer: { item: null, data: null, place: PLACE },
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
