import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { parseEnv } from '../src/env.ts';
import { Tokens } from '../src/features/auth/tokens.ts';
import { createRoutes } from '../src/http/routes.ts';
import { createRegistry } from '../src/ws/registry.ts';
import { call, logIn, newGroup, newUser, type TestUser } from './support/http.ts';
import { JWT_SECRET, startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

/** People around one group. */
interface Scene {
  groupId: string;
  stranger: TestUser;
  exMember: TestUser;
  member: TestUser;
  owner: TestUser;
}

const ACTORS = ['stranger', 'exMember', 'member', 'owner'] as const;
type Actor = (typeof ACTORS)[number];
type Outcomes<T> = Record<Actor, T>;

const all = <T>(outcome: T): Outcomes<T> => ({ stranger: outcome, exMember: outcome, member: outcome, owner: outcome });
const members = <T>(refusal: T, success: T): Outcomes<T> => ({ ...all(success), stranger: refusal, exMember: refusal });

/** Every request type: what each may do, as the code of the error or `ok`. */
const REQUESTS: Record<string, { params: (scene: Scene) => object; outcomes: Outcomes<string> }> = {
  listLastMessage: { params: () => ({ limit: 10, cursorCreatedAt: null }), outcomes: all('ok') },
  getlatestMessageDialog: { params: ({ owner }) => ({ receiverId: owner.id, limit: 10, cursorCreatedAt: null }), outcomes: all('ok') },
  getlatestMessageGroup: {
    params: ({ groupId }) => ({ groupId, limit: 10, cursorCreatedAt: null }),
    outcomes: members('not_a_member', 'ok'),
  },
  privateMessage: { params: ({ owner }) => ({ messageId: randomUUID(), receiverId: owner.id, content: 'Hello' }), outcomes: all('ok') },
  messageInGroup: {
    params: ({ groupId }) => ({ messageId: randomUUID(), groupId, content: 'Hello' }),
    outcomes: members('not_a_member', 'ok'),
  },
  addUserInGroup: {
    params: ({ groupId, exMember }) => ({ groupId, userId: exMember.id, messageId: randomUUID(), message: 'added' }),
    outcomes: members('not_a_member', 'ok'),
  },
  leaveGroup: { params: ({ groupId }) => ({ groupId, messageId: randomUUID(), message: 'left' }), outcomes: members('not_a_member', 'ok') },
  dropGroup: { params: ({ groupId }) => ({ groupId }), outcomes: { ...members('not_a_member', 'ok'), member: 'not_the_owner' } },
};

/** Every REST path: the status for a caller without a valid token, and what each may do. */
const PATHS: Record<string, { input?: (scene: Scene, actor: TestUser) => object; nobody: number; outcomes: Outcomes<number> }> = {
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
  'post /groups': {
    input: ({ groupId }) => ({ groupId, groupName: 'Friends', notificationMessage: 'created', messageId: randomUUID() }),
    nobody: 401,
    outcomes: { ...all(409), owner: 200 },
  },
  'delete /dialogs/:companionId': { nobody: 401, outcomes: all(200) },
  'post /use-cases/mark-as-deleted': { input: ({ owner }) => ({ companionId: owner.id }), nobody: 401, outcomes: all(200) },
};

describe('who may do what', () => {
  let server: TestServer;
  let revoked: string;
  let expired: string;
  const forged = new Tokens('another secret, which this server does not know').sign({
    userId: randomUUID(),
    sessionId: randomUUID(),
    expiresAt: new Date(Date.now() + 60_000),
  });

  beforeAll(async () => {
    server = await startServer();
    const user = await newUser(server);
    revoked = (await logIn(server, user)).token;
    await call(server, 'PATCH', '/profile/password', {
      token: user.token,
      body: { oldPassword: user.password, newPassword: 'new password' },
    });
    expired = new Tokens(JWT_SECRET).sign({ userId: user.id, sessionId: randomUUID(), expiresAt: new Date(Date.now() - 1_000) });
  });
  afterAll(() => server.app.stop());

  async function setScene(): Promise<Scene> {
    const [stranger, exMember, member, owner] = await Promise.all([newUser(server), newUser(server), newUser(server), newUser(server)]);
    const groupId = await newGroup(server, owner);
    const [ownerSocket, exMemberSocket] = [await connect(server, owner), await connect(server, exMember)];
    for (const { id } of [exMember, member]) {
      await ownerSocket.ask('addUserInGroup', { groupId, userId: id, messageId: randomUUID(), message: 'added' });
    }
    await exMemberSocket.ask('leaveGroup', { groupId, messageId: randomUUID(), message: 'left' });
    await Promise.all([ownerSocket.close(), exMemberSocket.close()]);
    return { groupId, stranger, exMember, member, owner };
  }

  test('every request type has a row', () => {
    expect(new Set(Object.keys(REQUESTS))).toEqual(new Set(createRegistry(parseEnv({})).keys()));
  });

  test.for(Object.entries(REQUESTS))('%s', async ([type, { params, outcomes }]) => {
    for (const actor of ACTORS) {
      const scene = await setScene();
      const socket = await connect(server, scene[actor]);
      const frame = await socket.request(type, params(scene));
      expect({ [actor]: 'error' in frame ? frame.code : 'ok' }).toEqual({ [actor]: outcomes[actor] });
      await socket.close();
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

  const paths = createRoutes(parseEnv({})).flatMap(({ method, path, aliases = [] }) =>
    [path, ...aliases].map((address) => ({ method, address, row: PATHS[`${method} ${path}`] })),
  );

  test.for(paths)('$method $address', async ({ method, address, row }) => {
    if (!row) throw new Error('no row');
    const request = async (scene: Scene, actor: TestUser, token?: string) => {
      const input = row.input?.(scene, actor);
      const path = address.replace(':companionId', scene.owner.id);
      const query = method === 'get' && input ? `?${new URLSearchParams(Object.entries(input))}` : '';
      const body = method === 'get' ? undefined : input;
      return (await call(server, method.toUpperCase(), path + query, { token, ...(body && { body }) })).status;
    };
    const scene = await setScene();
    for (const token of [undefined, forged, expired, revoked]) expect(await request(scene, scene.owner, token)).toBe(row.nobody);
    for (const actor of ACTORS) {
      const scene = await setScene();
      expect({ [actor]: await request(scene, scene[actor], scene[actor].token) }).toEqual({ [actor]: row.outcomes[actor] });
    }
  });
});
