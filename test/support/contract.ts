import { randomUUID } from 'node:crypto';
import type { TestUser } from './http.ts';

/** People around a group, beside the user who asks. */
export interface Others {
  /** Somebody who is in it. */
  memberId: string;
  /** Somebody who is not. */
  strangerId: string;
  /** Of a message that the user wrote in it, and to the member. */
  messageId: string;
}

/** One address of the REST contract, written down from it and not from the code. */
export interface RestPath {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/api`. */
  path: string;
  /** The status of success. */
  success: number;
  /** Whether it takes a token. */
  isProtected: boolean;
  /** A request that succeeds for this user, who is in the group `groupId`: the body, or of a GET the query. */
  input(user: TestUser, groupId: string, others: Others): Record<string, unknown> | undefined;
}

const both = (paths: string[], rest: Omit<RestPath, 'path'>): RestPath[] => paths.map((path) => ({ path, ...rest }));
const nothing = () => undefined;
const MESSAGES = ['/dialogs/{userId}/messages/{messageId}', '/groups/{groupId}/messages/{messageId}'];

/** Every path and every other name of it that clients use. */
export const REST_PATHS: RestPath[] = [
  ...both(['/auth/register', '/auth/sing-up', '/auth/sign-up'], {
    method: 'POST',
    success: 201,
    isProtected: false,
    input: () => ({ firstName: 'New', lastName: 'Person', email: `${randomUUID()}@example.com`, password: 'a password' }),
  }),
  ...both(['/auth/login'], {
    method: 'POST',
    success: 200,
    isProtected: false,
    input: ({ email, password }) => ({ email, password }),
  }),
  ...both(['/profile'], { method: 'GET', success: 200, isProtected: true, input: nothing }),
  ...both(['/profile', '/profile/update'], {
    method: 'PATCH',
    success: 200,
    isProtected: true,
    input: () => ({ firstName: 'Renamed', lastName: null }),
  }),
  ...both(['/profile/password', '/profile/change-password'], {
    method: 'PATCH',
    success: 200,
    isProtected: true,
    input: ({ password }) => ({ oldPassword: password, newPassword: 'another password' }),
  }),
  ...both(['/profile', '/profile/destroy'], { method: 'DELETE', success: 200, isProtected: true, input: nothing }),
  ...both(['/search', '/use-cases/search'], {
    method: 'GET',
    success: 200,
    isProtected: true,
    input: () => ({ searchText: 'e', limit: '100' }),
  }),
  ...both(['/search/users', '/use-cases/search-users'], {
    method: 'GET',
    success: 200,
    isProtected: true,
    input: (_user, groupId) => ({ searchText: 'example', groupId }),
  }),
  ...both(['/messages/search'], {
    method: 'GET',
    success: 200,
    isProtected: true,
    input: (_user, groupId) => ({ text: 'creat', groupId, limit: '10' }),
  }),
  ...both(['/groups', '/use-cases/create-group'], {
    method: 'POST',
    success: 200,
    isProtected: true,
    input: () => ({ groupId: randomUUID(), groupName: 'Friends', notificationMessage: 'created', messageId: randomUUID() }),
  }),
  ...both(['/groups', '/groups/{groupId}/members'], {
    method: 'GET',
    success: 200,
    isProtected: true,
    input: () => ({ limit: '10' }),
  }),
  ...both(['/groups/{groupId}'], { method: 'GET', success: 200, isProtected: true, input: nothing }),
  ...both(['/groups/{groupId}'], {
    method: 'PATCH',
    success: 200,
    isProtected: true,
    input: () => ({ groupName: 'Renamed', description: 'What it is about' }),
  }),
  ...both(['/groups/{groupId}'], { method: 'DELETE', success: 200, isProtected: true, input: nothing }),
  ...both(['/groups/{groupId}/members'], {
    method: 'POST',
    success: 201,
    isProtected: true,
    input: (_user, _groupId, { strangerId }) => ({ userId: strangerId, messageId: randomUUID(), message: 'added' }),
  }),
  ...both(['/groups/{groupId}/members/{userId}'], {
    method: 'PATCH',
    success: 200,
    isProtected: true,
    input: () => ({ role: 'admin' }),
  }),
  ...both(['/groups/{groupId}/members/{userId}'], {
    method: 'DELETE',
    success: 200,
    isProtected: true,
    input: () => ({ messageId: randomUUID(), message: 'removed' }),
  }),
  ...both(['/dialogs/{companionId}'], { method: 'DELETE', success: 200, isProtected: true, input: nothing }),
  ...both(['/chats', '/dialogs/{userId}/messages', '/groups/{groupId}/messages'], {
    method: 'GET',
    success: 200,
    isProtected: true,
    input: () => ({ limit: '10' }),
  }),
  ...both(['/dialogs/{userId}/messages', '/groups/{groupId}/messages'], {
    method: 'POST',
    success: 201,
    isProtected: true,
    input: () => ({ messageId: randomUUID(), content: 'Hello' }),
  }),
  ...both(['/dialogs/{userId}/read', '/groups/{groupId}/read'], {
    method: 'POST',
    success: 200,
    isProtected: true,
    input: (_user, _groupId, { messageId }) => ({ messageId }),
  }),
  ...both(MESSAGES, {
    method: 'PATCH',
    success: 200,
    isProtected: true,
    input: () => ({ content: 'Edited' }),
  }),
  ...both(MESSAGES, {
    method: 'DELETE',
    success: 200,
    isProtected: true,
    input: nothing,
  }),
  ...both(
    MESSAGES.map((path) => `${path}/reactions`),
    {
      method: 'POST',
      success: 200,
      isProtected: true,
      input: () => ({ emoji: '👍' }),
    },
  ),
  ...both(
    MESSAGES.map((path) => `${path}/reactions/{emoji}`),
    { method: 'DELETE', success: 200, isProtected: true, input: nothing },
  ),
  ...both(['/dialogs/{userId}/chat', '/groups/{groupId}/chat'], {
    method: 'PATCH',
    success: 200,
    isProtected: true,
    input: () => ({ muted: true, title: null }),
  }),
  ...both(['/use-cases/mark-as-deleted'], {
    method: 'POST',
    success: 200,
    isProtected: true,
    input: ({ id }) => ({ companionId: id }),
  }),
];

/** Where to send a request to, and its body; `others` matter only where it is to succeed. */
export function requestOf(
  rest: RestPath,
  user: TestUser,
  groupId: string,
  others: Others = { memberId: user.id, strangerId: user.id, messageId: randomUUID() },
): { path: string; body?: unknown } {
  const input = rest.input(user, groupId, others);
  const { memberId, messageId } = others;
  const values: Record<string, string> = { companionId: user.id, userId: memberId, groupId, messageId, emoji: encodeURIComponent('👍') };
  const path = rest.path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
  if (!['GET', 'DELETE'].includes(rest.method) || !input) return { path, ...(input && { body: input }) };
  const query = new URLSearchParams(Object.entries(input).map(([name, value]) => [name, String(value)]));
  return { path: `${path}?${query}` };
}
