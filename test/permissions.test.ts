import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { parseEnv } from '../src/env.ts';
import { Tokens } from '../src/features/auth/tokens.ts';
import { createRoutes } from '../src/http/routes.ts';
import type { Operation } from '../src/operation.ts';
import { createRegistry } from '../src/ws/registry.ts';
import { addressesOf } from './support/addresses.ts';
import { call, logIn, newUser, type TestUser } from './support/http.ts';
import { ACTORS, REQUESTS, type Scene, setScene } from './support/scene.ts';
import { JWT_SECRET, startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

type Outcomes<T> = Record<(typeof ACTORS)[number], T>;

const ranks = <T>(stranger: T, member: T, admin: T, owner: T): Outcomes<T> => ({ stranger, exMember: stranger, member, admin, owner });
const all = <T>(outcome: T) => ranks(outcome, outcome, outcome, outcome);
const members = <T>(refusal: T, success: T) => ranks(refusal, success, success, success);
const admins = <T>(stranger: T, member: T, success: T) => ranks(stranger, member, success, success);
const owner = <T>(stranger: T, member: T, success: T) => ranks(stranger, member, member, success);
/** The dialog is that of the owner and the member. */
const dialog = <T>(others: T, member: T, owner: T) => ranks(others, member, others, owner);

/** What a request says instead of what `REQUESTS` has for its type. */
const INSTEAD: Record<string, (scene: Scene, actor: TestUser) => object> = {
  // The owner and the member name each other, all others the owner.
  'in a dialog': ({ owner, member }, actor) => ({ groupId: undefined, receiverId: actor === owner ? member.id : owner.id }),
  'of an admin': ({ otherAdmin }) => ({ userId: otherAdmin.id }),
  'of the owner': ({ owner }) => ({ userId: owner.id }),
  'to owner': () => ({ role: 'owner' }),
  'of an admin to member': ({ otherAdmin }) => ({ userId: otherAdmin.id, role: 'member' }),
};

/** Every request type: what each may do, as the code of the error, `ok`, or `nothing` for a list without rows. */
const TYPES: Record<string, Outcomes<string>> = {
  listLastMessage: members('nothing', 'ok'),
  // Of the dialog with the owner, who reads the one with himself.
  getlatestMessageDialog: dialog('nothing', 'ok', 'nothing'),
  getlatestMessageGroup: members('not_a_member', 'ok'),
  getMissed: members('nothing', 'ok'),
  privateMessage: all('ok'),
  messageInGroup: members('not_a_member', 'ok'),
  editMessage: owner('not_a_member', 'not_the_author', 'ok'),
  'editMessage in a dialog': dialog('no_such_message', 'not_the_author', 'ok'),
  deleteMessage: admins('not_a_member', 'not_the_author', 'ok'),
  'deleteMessage in a dialog': dialog('no_such_message', 'not_the_author', 'ok'),
  addReaction: members('not_a_member', 'ok'),
  'addReaction in a dialog': dialog('no_such_message', 'ok', 'ok'),
  removeReaction: members('not_a_member', 'ok'),
  'removeReaction in a dialog': dialog('no_such_message', 'ok', 'ok'),
  addUserInGroup: members('not_a_member', 'ok'),
  leaveGroup: members('not_a_member', 'ok'),
  dropGroup: owner('not_a_member', 'not_the_owner', 'ok'),
  newGroup: all('ok'),
  updateGroup: admins('not_a_member', 'not_an_admin', 'ok'),
  removeUserFromGroup: admins('not_a_member', 'not_an_admin', 'ok'),
  'removeUserFromGroup of an admin': ranks('not_a_member', 'not_an_admin', 'not_the_owner', 'ok'),
  // The owner is to use leaveGroup.
  'removeUserFromGroup of the owner': ranks('not_a_member', 'not_an_admin', 'not_the_owner', 'invalid_params'),
  setGroupRole: admins('not_a_member', 'not_an_admin', 'ok'),
  'setGroupRole to owner': ranks('not_a_member', 'not_an_admin', 'not_the_owner', 'ok'),
  'setGroupRole of an admin to member': ranks('not_a_member', 'not_an_admin', 'not_the_owner', 'ok'),
  getGroupMembers: members('not_a_member', 'ok'),
  searchMessages: members('not_a_member', 'ok'),
  'searchMessages in a dialog': dialog('nothing', 'ok', 'ok'),
  subscribe: all('ok'),
  watchPresence: members('no_shared_chat', 'ok'),
  unwatchPresence: all('ok'),
  markRead: members('not_a_member', 'ok'),
  'markRead in a dialog': dialog('no_such_message', 'ok', 'ok'),
  // Anybody may write to anybody, and so type.
  startTyping: members('not_a_member', 'ok'),
  'startTyping in a dialog': all('ok'),
  stopTyping: members('not_a_member', 'ok'),
  'stopTyping in a dialog': all('ok'),
  updateChat: members('not_a_member', 'ok'),
  'updateChat in a dialog': dialog('no_such_chat', 'ok', 'ok'),
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
  'get /api/swagger.yaml': 200,
  'get /api/asyncapi.yaml': 200,
  'get /api/ws': 426,
  'get /health/live': 200,
  'get /health/ready': 200,
  // Its token is the operator's, and no user has it.
  'get /metrics': 401,
};

/** Why a token is refused. */
const FLAWS = ['missing', 'forged', 'expired', 'revoked', 'of a deleted account'] as const;

describe('who may do what', () => {
  let server: TestServer;
  let user: TestUser;
  let refused: Record<(typeof FLAWS)[number], string | undefined>;

  beforeAll(async () => {
    server = await startServer({ METRICS_TOKEN: 'the-token-of-the-operator' });
    user = await newUser(server);
    const { token: revoked } = await logIn(server, user);
    const body = { oldPassword: user.password, newPassword: 'new password' };
    await call(server, 'PATCH', '/profile/password', { token: user.token, body });
    const { token: deleted } = await newUser(server);
    await call(server, 'DELETE', '/profile', { token: deleted });
    const token = (secret: string, life: number) =>
      new Tokens(secret).sign({ userId: user.id, sessionId: randomUUID(), expiresAt: new Date(Date.now() + life) });
    refused = {
      missing: undefined,
      forged: token('another secret, which this server does not know', 60_000),
      expired: token(JWT_SECRET, -1_000),
      revoked,
      'of a deleted account': deleted,
    };
  });
  afterAll(() => server.app.stop());

  test('every request type has a row, and one more in a dialog if it names either a dialog or a group', () => {
    const registry = createRegistry(parseEnv({}));
    const isOfBoth = ({ params }: Operation) => params instanceof z.ZodObject && 'receiverId' in params.shape && 'groupId' in params.shape;
    const ofBoth = [...registry].filter(([, operation]) => isOfBoth(operation)).map(([type]) => `${type} in a dialog`);
    const rows = Object.keys(TYPES);
    expect(new Set(rows.filter((row) => !row.includes(' ')))).toEqual(new Set(registry.keys()));
    expect(new Set(rows.filter((row) => row.endsWith(' in a dialog')))).toEqual(new Set(ofBoth));
  });

  test.for(Object.entries(TYPES))('%s', async ([row, outcomes]) => {
    const [type = '', ...words] = row.split(' ');
    const instead = INSTEAD[words.join(' ')];
    let scene = await setScene(server);
    for (const actor of ACTORS) {
      const socket = await connect(server, scene[actor]);
      const frame = await socket.request(type, { ...REQUESTS[type]?.(scene), ...instead?.(scene, scene[actor]) });
      const success = 'success' in frame && frame.params.data?.length === 0 ? 'nothing' : 'ok';
      expect({ [actor]: 'error' in frame ? frame.code : success }).toEqual({ [actor]: outcomes[actor] });
      await socket.close();
      if (!('error' in frame)) scene = await setScene(server);
    }
  });

  test.for(FLAWS)('a WebSocket with a token that is %s is refused in both ways', async (flaw) => {
    const token = refused[flaw] ?? '';
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
    for (const token of [...Object.values(refused), user.token]) {
      const headers = token ? { authorization: `Bearer ${token}` } : {};
      const response = await fetch(`${server.url}${path}`, { method: method.toUpperCase(), redirect: 'manual', headers });
      expect(response.status).toBe(status);
      await response.body?.cancel();
    }
  });

  const paths = createRoutes(parseEnv({})).flatMap(({ method, path, aliases = [], errors }) =>
    [path, ...aliases].map((address) => ({ method, address, errors, row: PATHS[`${method} ${path}`] })),
  );

  test.for(paths)('$method $address, and a refusal is one that is described', async ({ method, address, errors, row }) => {
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
      const answer = await call(server, method.toUpperCase(), path + query, { token, ...(body && { body }) });
      if (answer.status >= 400) expect(['unauthorized', ...errors]).toContain(z.object({ code: z.string() }).parse(answer.body).code);
      return answer.status;
    };
    let scene = await setScene(server);
    for (const token of Object.values(refused)) expect(await request(scene, scene.owner, token)).toBe(row.nobody);
    for (const actor of ACTORS) {
      const status = await request(scene, scene[actor], scene[actor].token);
      expect({ [actor]: status }).toEqual({ [actor]: row.outcomes[actor] });
      if (status < 300 && method !== 'get') scene = await setScene(server);
    }
  });
});
