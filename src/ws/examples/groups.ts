import type { BroadcastExamples, RequestExamples } from './example.ts';
import { ANN, BOB, CAROL, FROM_ANN, GROUP, LATER, NEW_ID, NEXT_IN_GROUP, NOON } from './values.ts';

const NOTIFICATION = {
  ...FROM_ANN,
  groupId: GROUP,
  groupName: 'Friends',
  messageId: NEW_ID,
  notification: true,
  createdAt: LATER,
  replyTo: null,
  seq: NEXT_IN_GROUP.seq,
  rev: NEXT_IN_GROUP.rev,
};
const ADDED = { ...NOTIFICATION, message: 'added Carol' };
const LEFT = { ...NOTIFICATION, message: 'left' };
const IN_GROUP = { companionId: null, groupId: GROUP };

export const groupRequests: RequestExamples = {
  addUserInGroup: {
    summary: 'Adds a user to a group of mine. The message is stored as a notification',
    errors: ['not_a_member', 'no_such_user', 'already_a_member', 'message_id_taken'],
    params: { groupId: GROUP, userId: CAROL, messageId: NEW_ID, message: 'added Carol' },
    answer: { item: ADDED, data: null, place: NEXT_IN_GROUP },
  },
  leaveGroup: {
    summary: 'Takes me out of a group. When I am its owner, who has been there longest becomes it; when I am the last one, the group ends',
    errors: ['not_a_member', 'message_id_taken'],
    params: { groupId: GROUP, messageId: NEW_ID, message: 'left' },
    answer: { item: { groupId: GROUP }, data: null, place: NEXT_IN_GROUP },
  },
  dropGroup: {
    summary: 'Ends a group for everybody; for its owner only',
    errors: ['not_a_member', 'not_the_owner'],
    params: { groupId: GROUP },
    answer: { item: { groupId: GROUP }, data: null },
  },
  newGroup: {
    summary:
      'Makes a group of mine with these users in it. What is left out is made by the server; with a groupId, the same again changes nothing',
    errors: ['no_such_user', 'group_id_taken'],
    params: { groupName: 'Lunch', groupId: NEW_ID, userIds: [BOB, CAROL] },
    answer: { item: { groupId: NEW_ID, groupName: 'Lunch' }, data: null },
  },
  updateGroup: {
    summary: 'Gives a group another name or description, which null takes away; for its owner and admins',
    errors: ['not_a_member', 'not_an_admin'],
    params: { groupId: GROUP, groupName: 'Best friends', description: 'Lunch, mostly' },
    answer: {
      item: { groupId: GROUP, groupName: 'Best friends', description: 'Lunch, mostly', memberCount: 2, role: 'owner', createdAt: NOON },
      data: null,
    },
  },
  removeUserFromGroup: {
    summary: 'Takes somebody else out of a group: its owner anybody, an admin plain members. The message is stored as a notification',
    errors: ['not_a_member', 'not_an_admin', 'not_the_owner', 'no_such_member', 'message_id_taken'],
    params: { groupId: GROUP, userId: BOB, messageId: NEW_ID, message: 'removed Bob' },
    answer: { item: { groupId: GROUP }, data: null, place: NEXT_IN_GROUP },
  },
  setGroupRole: {
    summary: 'Gives another member a role: its owner any, and by giving his own becomes an admin; an admin makes plain members admins',
    errors: ['not_a_member', 'not_an_admin', 'not_the_owner', 'no_such_member'],
    params: { groupId: GROUP, userId: BOB, role: 'admin' },
    answer: { item: { userId: BOB, firstName: 'Bob', lastName: 'Baker', role: 'admin', joinedAt: NOON }, data: null },
  },
  getGroupMembers: {
    summary: 'A page of the members of a group of mine, the longest-standing first',
    errors: ['not_a_member'],
    params: { groupId: GROUP, limit: 50, cursor: null },
    answer: {
      item: { nextCursor: null },
      data: [
        { userId: ANN, firstName: 'Ann', lastName: 'Archer', role: 'owner', joinedAt: NOON },
        { userId: BOB, firstName: 'Bob', lastName: 'Baker', role: 'member', joinedAt: NOON },
      ],
    },
  },
};

export const groupBroadcasts: BroadcastExamples = {
  addUserInGroup: {
    summary: 'Somebody was added to a group: to every other member, and to who was added',
    item: ADDED,
    own: { ...ADDED, companionId: null },
  },
  leaveGroup: {
    summary: 'Somebody has left a group: to those who stay',
    item: LEFT,
    own: { ...LEFT, companionId: null },
  },
  dropGroup: {
    summary: 'A group is gone, for everybody or for me: to every other member, or to who was removed',
    item: { groupId: GROUP },
    own: { groupId: GROUP, companionId: null },
  },
  groupUpdated: {
    summary: 'A group has another name or description: to every member',
    item: { ...IN_GROUP, groupName: 'Best friends', description: 'Lunch, mostly', updatedBy: ANN },
  },
  memberRemoved: {
    summary: 'Somebody was removed from a group: to those who stay',
    item: { ...IN_GROUP, userId: BOB, removedBy: ANN },
  },
  roleChanged: {
    summary: 'A member may do more or less than before: to every member',
    item: { ...IN_GROUP, userId: BOB, role: 'admin', changedBy: ANN },
  },
};
