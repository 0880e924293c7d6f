import type { BroadcastExamples, RequestExamples } from './example.ts';
import { BOB, NOON } from './values.ts';

export const eventRequests: RequestExamples = {
  subscribe: {
    summary: 'From the answer on this connection receives these events. The list replaces the one before; an empty one turns all off',
    errors: [],
    params: { events: ['userStatus', 'catchUp'] },
    answer: { item: { events: ['userStatus', 'catchUp'] }, data: null },
  },
  watchPresence: {
    summary: 'Who of the users is online; from then on `userStatus` tells this connection when that changes',
    errors: ['no_shared_chat'],
    params: { userIds: [BOB] },
    answer: { item: null, data: [{ userId: BOB, status: 'online', lastSeenAt: null }] },
  },
  unwatchPresence: {
    summary: 'This connection hears no more of the users',
    errors: [],
    params: { userIds: [BOB] },
    answer: { item: null, data: null },
  },
};

export const eventBroadcasts: BroadcastExamples = {
  userStatus: {
    summary: 'Somebody came or went: to connections that watch the user, while both share a chat',
    item: { userId: BOB, status: 'offline', lastSeenAt: NOON },
  },
  catchUp: {
    summary: 'Something may not have reached this connection: ask for what was missed, after a random time of up to a second',
    item: {},
  },
};
