import { randomUUID } from 'node:crypto';
import { newUser, type TestUser } from './http.ts';
import { connect } from './socket.ts';

/** People around the owner of a group. */
interface Others {
  stranger: TestUser;
  exMember: TestUser;
  member: TestUser;
  admin: TestUser;
  otherAdmin: TestUser;
  /** A member too, to whom things are done. */
  guest: TestUser;
}

/** People around one group. */
export interface Scene extends Others {
  groupId: string;
  /** Of a message that the owner wrote in the group, and of one to the member. */
  messageId: string;
  owner: TestUser;
}

/** Everybody whom a matrix of permissions asks about, save those without a valid token. */
export const ACTORS = ['stranger', 'exMember', 'member', 'admin', 'owner'] as const;

/** Params of each request type that are valid in a scene; all of them succeed for the owner. */
export const REQUESTS: Record<string, (scene: Scene) => Record<string, unknown>> = {
  listLastMessage: () => ({ limit: 10, cursorCreatedAt: null }),
  getlatestMessageDialog: ({ owner }) => ({ receiverId: owner.id, limit: 10, cursorCreatedAt: null }),
  getlatestMessageGroup: ({ groupId }) => ({ groupId, limit: 10, cursorCreatedAt: null }),
  getMissed: ({ owner, groupId }) => ({
    cursors: [
      { receiverId: owner.id, afterRev: 0 },
      { groupId, afterRev: 0 },
    ],
    changedSince: '2026-01-31T12:00:00.000Z',
    limit: 10,
  }),
  privateMessage: ({ owner }) => ({ messageId: randomUUID(), receiverId: owner.id, content: 'Hello' }),
  messageInGroup: ({ groupId }) => ({ messageId: randomUUID(), groupId, content: 'Hello' }),
  addUserInGroup: ({ groupId, exMember }) => ({ groupId, userId: exMember.id, messageId: randomUUID(), message: 'added' }),
  leaveGroup: ({ groupId }) => ({ groupId, messageId: randomUUID(), message: 'left' }),
  dropGroup: ({ groupId }) => ({ groupId }),
  editMessage: ({ groupId, messageId }) => ({ groupId, messageId, content: 'Edited' }),
  deleteMessage: ({ groupId, messageId }) => ({ groupId, messageId }),
  addReaction: ({ groupId, messageId }) => ({ groupId, messageId, emoji: '👍' }),
  removeReaction: ({ groupId, messageId }) => ({ groupId, messageId, emoji: '👍' }),
  newGroup: ({ guest }) => ({ groupName: 'Neighbours', userIds: [guest.id] }),
  updateGroup: ({ groupId }) => ({ groupId, groupName: 'Renamed' }),
  removeUserFromGroup: ({ groupId, guest }) => ({ groupId, userId: guest.id, messageId: randomUUID(), message: 'removed' }),
  setGroupRole: ({ groupId, guest }) => ({ groupId, userId: guest.id, role: 'admin' }),
  getGroupMembers: ({ groupId }) => ({ groupId, limit: 10, cursor: null }),
  searchMessages: ({ groupId }) => ({ text: 'Hello', limit: 10, cursor: null, groupId }),
  subscribe: () => ({ events: ['ownMessages', 'userStatus', 'catchUp'] }),
  watchPresence: ({ member }) => ({ userIds: [member.id] }),
  unwatchPresence: ({ member }) => ({ userIds: [member.id] }),
  markRead: ({ groupId, messageId }) => ({ groupId, messageId }),
  startTyping: ({ groupId }) => ({ groupId }),
  stopTyping: ({ groupId }) => ({ groupId }),
  updateChat: ({ groupId }) => ({ groupId, muted: true, pinned: true, title: 'Ours' }),
};

export async function newOthers(server: { url: string }): Promise<Others> {
  const users = [newUser(server), newUser(server), newUser(server), newUser(server), newUser(server), newUser(server)] as const;
  const [stranger, exMember, member, admin, otherAdmin, guest] = await Promise.all(users);
  return { stranger, exMember, member, admin, otherAdmin, guest };
}

/** A new owner with a new group. The others may be around more than one. */
export async function setScene(server: { url: string }, around?: Others): Promise<Scene> {
  const [owner, others] = await Promise.all([newUser(server), around ?? newOthers(server)]);
  const { exMember, member, admin, otherAdmin, guest } = others;
  const [groupId, messageId] = [randomUUID(), randomUUID()];
  const userIds = [exMember, member, admin, otherAdmin, guest].map(({ id }) => id);
  const [ownerSocket, exMemberSocket] = [await connect(server, owner), await connect(server, exMember)];
  await ownerSocket.ask('newGroup', { groupId, groupName: 'Friends', userIds });
  for (const { id: userId } of [admin, otherAdmin]) await ownerSocket.ask('setGroupRole', { groupId, userId, role: 'admin' });
  await ownerSocket.ask('messageInGroup', { messageId, groupId, content: 'Hello' });
  await ownerSocket.ask('privateMessage', { messageId, receiverId: member.id, content: 'Hello' });
  await exMemberSocket.ask('leaveGroup', { groupId, messageId: randomUUID(), message: 'left' });
  await Promise.all([ownerSocket.close(), exMemberSocket.close()]);
  return { groupId, messageId, owner, ...others };
}
