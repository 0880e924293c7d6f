import { randomUUID } from 'node:crypto';
import { newGroup, newUser, type TestUser } from './http.ts';
import { connect } from './socket.ts';

/** People around one group. */
export interface Scene {
  groupId: string;
  /** Of a message that the owner wrote in the group, and of one to the member. */
  messageId: string;
  stranger: TestUser;
  exMember: TestUser;
  member: TestUser;
  owner: TestUser;
}

/** Everybody whom a matrix of permissions asks about, save those without a valid token. */
export const ACTORS = ['stranger', 'exMember', 'member', 'owner'] as const;

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
  searchMessages: ({ groupId }) => ({ text: 'added', limit: 10, cursor: null, groupId }),
  subscribe: () => ({ events: ['ownMessages', 'userStatus', 'catchUp'] }),
  watchPresence: ({ member }) => ({ userIds: [member.id] }),
  unwatchPresence: ({ member }) => ({ userIds: [member.id] }),
  markRead: ({ groupId, messageId }) => ({ groupId, messageId }),
  startTyping: ({ groupId }) => ({ groupId }),
  stopTyping: ({ groupId }) => ({ groupId }),
  updateChat: ({ groupId }) => ({ groupId, muted: true, pinned: true, title: 'Ours' }),
};

export async function setScene(server: { url: string }): Promise<Scene> {
  const [stranger, exMember, member, owner] = await Promise.all([newUser(server), newUser(server), newUser(server), newUser(server)]);
  const groupId = await newGroup(server, owner);
  const [ownerSocket, exMemberSocket] = [await connect(server, owner), await connect(server, exMember)];
  for (const { id } of [exMember, member]) {
    await ownerSocket.ask('addUserInGroup', { groupId, userId: id, messageId: randomUUID(), message: 'added' });
  }
  const messageId = randomUUID();
  await ownerSocket.ask('messageInGroup', { messageId, groupId, content: 'Hello' });
  await ownerSocket.ask('privateMessage', { messageId, receiverId: member.id, content: 'Hello' });
  await exMemberSocket.ask('leaveGroup', { groupId, messageId: randomUUID(), message: 'left' });
  await Promise.all([ownerSocket.close(), exMemberSocket.close()]);
  return { groupId, messageId, stranger, exMember, member, owner };
}
