import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { parseEnv } from '../src/env.ts';
import { Tokens } from '../src/features/auth/tokens.ts';
import { createRoutes } from '../src/http/routes.ts';
import { createRegistry } from '../src/ws/registry.ts';
import { addressesOf } from './support/addresses.ts';
import { call, logIn, newUser, type TestUser } from './support/http.ts';
import { ACTORS, REQUESTS, type Scene, setScene } from './support/scene.ts';
import { JWT_SECRET, startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

type Outcomes<T> = Record<(typeof ACTORS)[number], T>;

const all = <T>(outcome: T): Outcomes<T> => ({ stranger: outcome, exMember: outcome, member: outcome, admin: outcome, owner: outcome });
const members = <T>(refusal: T, success: T): Outcomes<T> => ({ ...all(success), stranger: refusal, exMember: refusal });
const admins = <T>(stranger: T, member: T, success: T): Outcomes<T> => ({ ...members(stranger, success), member });
const owner = <T>(stranger: T, member: T, success: T): Outcomes<T> => ({ ...admins(stranger, member, success), admin: member });

/** Every request type: what each may do, as the code of the error or `ok`. */
const TYPES: Record<string, Outcomes<string>> = {
  listLastMessage: all('ok'),
  getlatestMessageDialog: all('ok'),
  getlatestMessageGroup: members('not_a_member', 'ok'),
  getMissed: all('ok'),
  privateMessage: all('ok'),
  messageInGroup: members('not_a_member', 'ok'),
  editMessage: owner('not_a_member', 'not_the_author', 'ok'),
  deleteMessage: admins('not_a_member', 'not_the_author', 'ok'),
  addReaction: members('not_a_member', 'ok'),
  removeReaction: members('not_a_member', 'ok'),
  addUserInGroup: members('not_a_member', 'ok'),
  leaveGroup: members('not_a_member', 'ok'),
  dropGroup: owner('not_a_member', 'not_the_owner', 'ok'),
  newGroup: all('ok'),
  updateGroup: admins('not_a_member', 'not_an_admin', 'ok'),
  removeUserFromGroup: admins('not_a_member', 'not_an_admin', 'ok'),
  setGroupRole: admins('not_a_member', 'not_an_admin', 'ok'),
  getGroupMembers: members('not_a_member', 'ok'),
  searchMessages: members('not_a_member', 'ok'),
  subscribe: all('ok'),
  watchPresence: members('no_shared_chat', 'ok'),
  unwatchPresence: all('ok'),
  markRead: members('not_a_member', 'ok'),
  startTyping: members('not_a_member', 'ok'),
  stopTyping: members('not_a_member', 'ok'),
  updateChat: members('not_a_member', 'ok'),
};

interface Row {
  /** Whom the path names, if not the owner. */
  userId?: (scene: Scene) => string;
  input?: (scene: Scene, actor: TestUser) => object;
  nobody: number;
  outcomes: Outcomes<number>;
}

/** Every REST path: the status for a caller without a valid token, and what each may do. */
const PATHS: Record<string, Row> = {
  'post /auth/register': {
    input: () => ({ firstName: 'New', email: `${randomUUID()}@example.com`, password: 'password' }),
    nobody: 201,
    outcomes: all(201),
  },
  'post /auth/login': { input: (_scene, { email, password }) => ({ email, password }), nobody: 200, outcomes: all(200) },
  'get /profile': { nobody: 401, outcomes: all(200) },
  'patch /profile': { input: () => ({ firstName: 'Renamed' }), nobody: 401, outcomes: all(200) },
  'patch /profile/password': {
    input: (_scene, { password }) => ({ oldPassword: password, newPassword: 'another password' }),
    nobody: 401,
    outcomes: all(200),
  },
  'delete /profile': { nobody: 401, outcomes: all(200) },
  'get /search': { input: () => ({ searchText: 'example' }), nobody: 401, outcomes: all(200) },
  'get /search/users': { input: ({ groupId }) => ({ searchText: 'example', groupId }), nobody: 401, outcomes: members(403, 200) },
  'get /messages/search': { input: ({ groupId }) => ({ text: 'added', groupId }), nobody: 401, outcomes: members(403, 200) },
  'post /groups': {
    input: ({ groupId }) => ({ groupId, groupName: 'Friends', notificationMessage: 'created', messageId: randomUUID() }),
    nobody: 401,
    outcomes: { ...all(409), owner: 200 },
  },
  'get /groups': { nobody: 401, outcomes: all(200) },
  'get /groups/:groupId': { nobody: 401, outcomes: members(403, 200) },
  'patch /groups/:groupId': { input: () => ({ groupName: 'Renamed' }), nobody: 401, outcomes: admins(403, 403, 200) },
  'delete /groups/:groupId': { nobody: 401, outcomes: owner(403, 403, 200) },
  'get /groups/:groupId/members': { nobody: 401, outcomes: members(403, 200) },
  'post /groups/:groupId/members': {
    input: ({ exMember }) => ({ userId: exMember.id, messageId: randomUUID(), message: 'added' }),
    nobody: 401,
    outcomes: members(403, 201),
  },
  'patch /groups/:groupId/members/:userId': {
    userId: ({ guest }) => guest.id,
    input: () => ({ role: 'admin' }),
    nobody: 401,
    outcomes: admins(403, 403, 200),
  },
  'delete /groups/:groupId/members/:userId': {
    userId: ({ guest }) => guest.id,
    input: () => ({ messageId: randomUUID(), message: 'removed' }),
    nobody: 401,
    outcomes: admins(403, 403, 200),
  },
  'delete /dialogs/:companionId': { nobody: 401, outcomes: all(200) },
  'get /chats': { nobody: 401, outcomes: all(200) },
  // The member alone has a dialog with the owner.
  'patch /dialogs/:userId/chat': { input: () => ({ muted: true }), nobody: 401, outcomes: { ...all(404), member: 200 } },
  'patch /groups/:groupId/chat': { input: () => ({ muted: true }), nobody: 401, outcomes: members(403, 200) },
  'get /dialogs/:userId/messages': { nobody: 401, outcomes: all(200) },
  'post /dialogs/:userId/messages': { input: () => ({ messageId: randomUUID(), content: 'Hello' }), nobody: 401, outcomes: all(201) },
  'get /groups/:groupId/messages': { nobody: 401, outcomes: members(403, 200) },
  'post /groups/:groupId/messages': {
    input: () => ({ messageId: randomUUID(), content: 'Hello' }),
    nobody: 401,
    outcomes: members(403, 201),
  },
  'post /dialogs/:userId/read': { input: ({ messageId }) => ({ messageId }), nobody: 401, outcomes: { ...all(404), member: 200 } },
  'post /groups/:groupId/read': { input: ({ messageId }) => ({ messageId }), nobody: 401, outcomes: members(403, 200) },
  // The owner wrote it to the member alone.
  'patch /dialogs/:userId/messages/:messageId': {
    input: () => ({ content: 'Edited' }),
    nobody: 401,
    outcomes: { ...all(404), member: 403 },
  },
  'delete /dialogs/:userId/messages/:messageId': { nobody: 401, outcomes: { ...all(404), member: 403 } },
  'patch /groups/:groupId/messages/:messageId': {
    input: () => ({ content: 'Edited' }),
    nobody: 401,
    outcomes: owner(403, 403, 200),
  },
  'delete /groups/:groupId/messages/:messageId': { nobody: 401, outcomes: admins(403, 403, 200) },
  'post /dialogs/:userId/messages/:messageId/reactions': {
    input: () => ({ emoji: '👍' }),
    nobody: 401,
    outcomes: { ...all(404), member: 200 },
  },
  'post /groups/:groupId/messages/:messageId/reactions': {
    input: () => ({ emoji: '👍' }),
    nobody: 401,
    outcomes: members(403, 200),
  },
  'delete /dialogs/:userId/messages/:messageId/reactions/:emoji': { nobody: 401, outcomes: { ...all(404), member: 200 } },
  'delete /groups/:groupId/messages/:messageId/reactions/:emoji': { nobody: 401, outcomes: members(403, 200) },
  'post /use-cases/mark-as-deleted': { input: ({ owner }) => ({ companionId: owner.id }), nobody: 401, outcomes: all(200) },
};

/** Every other address: its status for everybody, with whatever token of a user, or without. */
const OTHERS: Record<string, number> = {
  'get /': 302,
  'get /api': 302,
  'get /api/': 200,
  'get /doc': 302,
  'get /doc/': 200,
  'get /api/ws-docs': 302,
  'get /api/ws-docs/': 200,
  'get /api/ws': 426,
  'get /health/live': 200,
  'get /health/ready': 200,
  // Its token is the operator's, and no user has it.
  'get /metrics': 401,
};

describe('who may do what', () => {
  let server: TestServer;
  let user: TestUser;
  let revoked: string;
  let expired: string;
  const forged = new Tokens('another secret, which this server does not know').sign({
    userId: randomUUID(),
    sessionId: randomUUID(),
    expiresAt: new Date(Date.now() + 60_000),
  });

  beforeAll(async () => {
    server = await startServer({ METRICS_TOKEN: 'the-token-of-the-operator' });
    user = await newUser(server);
    revoked = (await logIn(server, user)).token;
    const body = { oldPassword: user.password, newPassword: 'new password' };
    await call(server, 'PATCH', '/profile/password', { token: user.token, body });
    expired = new Tokens(JWT_SECRET).sign({ userId: user.id, sessionId: randomUUID(), expiresAt: new Date(Date.now() - 1_000) });
  });
  afterAll(() => server.app.stop());

  test('every request type has a row', () => {
    expect(new Set(Object.keys(TYPES))).toEqual(new Set(createRegistry(parseEnv({})).keys()));
  });

  test.for(Object.entries(TYPES))('%s', async ([type, outcomes]) => {
    let scene = await setScene(server);
    for (const actor of ACTORS) {
      const socket = await connect(server, scene[actor]);
      const frame = await socket.request(type, REQUESTS[type]?.(scene));
      expect({ [actor]: 'error' in frame ? frame.code : 'ok' }).toEqual({ [actor]: outcomes[actor] });
      await socket.close();
      if (!('error' in frame)) scene = await setScene(server);
    }
  });

  test.for(['missing', 'forged', 'expired', 'revoked'])('a WebSocket with a token that is %s is refused in both ways', async (what) => {
    const token = { missing: '', forged, expired, revoked }[what] ?? '';
    const url = `${server.url.replace('http', 'ws')}/api/ws`;
    const byHeader = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const [, response] = await once(byHeader, 'unexpected-response');
    expect(response.statusCode).toBe(401);
    byHeader.on('error', () => {});
    byHeader.terminate();
    const bySubprotocol = new WebSocket(url, token === '' ? ['auth'] : ['auth', token]);
    const [code, reason] = await once(bySubprotocol, 'close');
    expect([code, String(reason)]).toEqual([4001, 'Unauthorized']);
  });

  test('every REST path has a row', () => {
    expect(new Set(Object.keys(PATHS))).toEqual(new Set(createRoutes(parseEnv({})).map(({ method, path }) => `${method} ${path}`)));
  });

  test('every other address that the server serves has a row too', async () => {
    const paths = createRoutes(parseEnv({})).flatMap(({ method, path, aliases = [] }) =>
      [path, ...aliases].map((address) => `${method} /api${address}`),
    );
    expect(new Set(await addressesOf(server))).toEqual(new Set([...paths, ...Object.keys(OTHERS)]));
  });

  test.for(Object.entries(OTHERS))('%s answers everybody with %i', async ([address, status]) => {
    const [method = '', path] = address.split(' ');
    for (const token of [undefined, forged, expired, revoked, user.token]) {
      const headers = token ? { authorization: `Bearer ${token}` } : {};
      const response = await fetch(`${server.url}${path}`, { method: method.toUpperCase(), redirect: 'manual', headers });
      expect(response.status).toBe(status);
      await response.body?.cancel();
    }
  });

  const paths = createRoutes(parseEnv({})).flatMap(({ method, path, aliases = [] }) =>
    [path, ...aliases].map((address) => ({ method, address, row: PATHS[`${method} ${path}`] })),
  );

  test.for(paths)('$method $address', async ({ method, address, row }) => {
    if (!row) throw new Error('no row');
    const request = async (scene: Scene, actor: TestUser, token?: string) => {
      const input = row.input?.(scene, actor);
      const values: Record<string, string> = {
        companionId: scene.owner.id,
        userId: row.userId?.(scene) ?? scene.owner.id,
        groupId: scene.groupId,
        messageId: scene.messageId,
        emoji: encodeURIComponent('👍'),
      };
      const path = address.replace(/:(\w+)/g, (_, name: string) => values[name] ?? '');
      const query = method === 'get' && input ? `?${new URLSearchParams(Object.entries(input))}` : '';
      const body = method === 'get' ? undefined : input;
      return (await call(server, method.toUpperCase(), path + query, { token, ...(body && { body }) })).status;
    };
    let scene = await setScene(server);
    for (const token of [undefined, forged, expired, revoked]) expect(await request(scene, scene.owner, token)).toBe(row.nobody);
    for (const actor of ACTORS) {
      const status = await request(scene, scene[actor], scene[actor].token);
      expect({ [actor]: status }).toEqual({ [actor]: row.outcomes[actor] });
      if (status < 300 && method !== 'get') scene = await setScene(server);
    }
  });
});
