import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { byHeader, bySubprotocol, handshake, type Opened, opened } from './support/handshake.ts';
import { call, logIn, newUser, type TestUser } from './support/http.ts';
import { holdLock } from './support/lock.ts';
import { NEWEST, newPerson } from './support/people.ts';
import { processorTimeOf } from './support/processorTime.ts';
import { rawSocket, upgradeRequest } from './support/rawSocket.ts';
import { JWT_SECRET, startServer, type TestServer } from './support/server.ts';

const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };
const REFUSED = { status: 401, body: { message: 'Unauthorized', code: 'unauthorized' } };
const claims = z.looseObject({ sub: z.string(), sid: z.string() });

describe('connecting', () => {
  let server: TestServer;
  let user: TestUser;
  let revoked: string;
  beforeAll(async () => {
    server = await startServer();
    user = await newUser(server);
    const other = await newUser(server);
    revoked = (await logIn(server, other)).token;
    await changePassword(other);
  });
  afterAll(() => server.app.stop());

  async function changePassword({ token, password }: { token: string; password: string }): Promise<void> {
    const body = { oldPassword: password, newPassword: 'another password' };
    expect((await call(server, 'PATCH', '/profile/password', { token, body })).status).toBe(200);
  }

  /** The user's own token, with other claims or another signature. */
  const forge = (changes: object, secret = JWT_SECRET) => jwt.sign({ ...claims.parse(jwt.decode(user.token)), ...changes }, secret);

  const bad: [string, () => string][] = [
    ['forged', () => forge({}, 'another secret, which this server does not know')],
    ['expired', () => forge({ exp: Math.floor(Date.now() / 1000) - 1 })],
    ['revoked', () => revoked],
    ['of a session that never was', () => forge({ sid: randomUUID() })],
    ['no token at all', () => 'token'],
  ];

  async function expectServed({ socket }: Opened): Promise<void> {
    expect(await socket.ask('listLastMessage', NEWEST)).toEqual({ item: null, data: [], isBroadcast: false });
    await socket.close();
  }

  test.each(['/', '/api/ws', '/?from=here', '/api/ws?v=1'])('is possible at %s, in both ways', async (path) => {
    await expectServed(await opened(server, { path, ...byHeader(user.token) }));
    await expectServed(await opened(server, { path, ...bySubprotocol(user.token) }));
  });

  test.each(['/ws', '/api', '/api/', '/api/ws/', '/api/ws/1', '//', '/api/profile'])('is answered with 404 at %s', async (path) => {
    for (const offer of [byHeader(user.token), bySubprotocol(user.token), {}]) {
      expect(await handshake(server, { path, ...offer })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
  });

  test.each(bad)('with a header and a token that is %s is answered with 401', async (_what, token) => {
    expect(await handshake(server, byHeader(token()))).toEqual(REFUSED);
  });

  test('with a header that is no bearer token is answered with 401', async () => {
    const basic = `Basic ${Buffer.from(`${user.email}:${user.password}`).toString('base64')}`;
    for (const authorization of ['', 'Bearer', 'Bearer ', user.token, `Basic ${user.token}`, basic]) {
      expect(await handshake(server, { headers: { authorization } })).toEqual(REFUSED);
    }
  });

  test('with the subprotocol selects auth, and nothing that is answered holds the token', async () => {
    const socket = await opened(server, bySubprotocol(user.token));
    expect(socket.protocol).toBe('auth');
    expect(socket.headers).not.toContain(user.token);
    await expectServed(socket);
  });

  test.each(bad)('with the subprotocol and a token that is %s opens and is closed with 4001', async (_what, token) => {
    const { protocol, headers, closed, socket } = await opened(server, bySubprotocol(token()));
    expect(await closed).toEqual(UNAUTHORIZED);
    expect(protocol).toBe('auth');
    expect(headers).not.toContain(token());
    expect(socket.frames).toEqual([]);
  });

  test('with the subprotocol alone opens and is closed with 4001', async () => {
    expect(await (await opened(server, { protocols: ['auth'] })).closed).toEqual(UNAUTHORIZED);
  });

  test('what is asked before the socket is closed with 4001 is neither done nor answered', async () => {
    const { socket, closed } = await opened(server, bySubprotocol(forge({ sid: randomUUID() })));
    const messageId = randomUUID();
    socket.send({ type: 'privateMessage', params: { messageId, receiverId: user.id, content: 'Let me in' }, requestId: 1 });
    expect(await closed).toEqual(UNAUTHORIZED);
    expect(socket.frames).toEqual([]);
    expect(await query(server.databaseUrl, 'SELECT id FROM messages WHERE id = $1', [messageId])).toEqual([]);
  });

  test('with both, the header counts', async () => {
    await expectServed(await opened(server, { ...byHeader(user.token), ...bySubprotocol(revoked) }));
    expect(await handshake(server, { ...byHeader(revoked), ...bySubprotocol(user.token) })).toEqual(REFUSED);
    expect(await handshake(server, { headers: { authorization: 'Basic abc' }, ...bySubprotocol(user.token) })).toEqual(REFUSED);
  });

  test('with neither is answered with 401, also when the token stands somewhere else', async () => {
    const elsewhere = [{}, { path: `/api/ws?token=${user.token}` }, { protocols: [user.token] }, { protocols: [user.token, 'auth'] }];
    for (const offer of elsewhere) expect(await handshake(server, offer)).toEqual(REFUSED);
  });

  test('with subprotocols that are nearly all blanks takes the server no more time than with any others', async () => {
    const costOf = (filler: string) =>
      processorTimeOf(async () => {
        const offered = `Sec-WebSocket-Protocol: auth${filler}x`;
        const { socket, ended } = await rawSocket(server, upgradeRequest('').replace('Authorization: Bearer ', offered));
        await ended;
        socket.destroy();
      });
    await costOf('x');
    const usual = await costOf('x'.repeat(15_500));
    expect(await costOf(' '.repeat(15_500))).toBeLessThan(20 * usual);
  });

  test('from a foreign origin is answered with 403 before the token is looked at; without an origin it is fine', async () => {
    const strict = await startServer({ CORS_ORIGINS: 'https://chat.example.com' }, server.databaseUrl);
    const authorization = `Bearer ${user.token}`;
    for (const origin of ['https://evil.example', 'null', 'http://chat.example.com', 'https://chat.example.com.evil.example']) {
      const headers = { origin };
      const refused = { status: 403, body: { message: expect.any(String), code: 'origin_refused' } };
      expect(await handshake(strict, { headers: { origin, authorization } })).toEqual(refused);
      expect(await handshake(strict, { headers, ...bySubprotocol(user.token) })).toEqual(refused);
      expect(await handshake(strict, { headers, ...bySubprotocol('forged') })).toEqual(refused);
    }
    await expectServed(await opened(strict, { headers: { origin: 'https://chat.example.com' }, ...bySubprotocol(user.token) }));
    await expectServed(await opened(strict, { headers: { authorization } }));
    await strict.app.stop();
  });

  test('a token that expires while the socket is open: the next request is not served, and closes it with 4001', async () => {
    const exp = Math.ceil(Date.now() / 1000) + 5;
    const token = forge({ exp });
    const sockets = [await opened(server, byHeader(token)), await opened(server, bySubprotocol(token))];
    await eventually(() => expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000));
    for (const { socket, closed } of sockets) {
      expect(socket.socket.readyState).toBe(WebSocket.OPEN);
      socket.send({ type: 'listLastMessage', params: NEWEST, requestId: 1 });
      expect(await closed).toEqual(UNAUTHORIZED);
      expect(socket.frames).toEqual([]);
    }
  });

  test('a session that ends closes its open sockets with 4001, and no other', async () => {
    const [person, bystander] = [await newPerson(server), await newPerson(server)];
    const ending = await logIn(server, person);
    const ends = [await opened(server, byHeader(ending.token)), await opened(server, bySubprotocol(ending.token))];
    await changePassword(person);
    for (const { closed } of ends) expect(await closed).toEqual(UNAUTHORIZED);
    for (const { socket } of [person, bystander]) expect(await socket.rows('listLastMessage', NEWEST)).toEqual([]);
  });

  test('a session that ends during the handshake is never missed', async () => {
    for (let round = 0; round < 3; round++) {
      const person = await newPerson(server);
      const sessions = await Promise.all(Array.from({ length: 20 }, () => logIn(server, person)));
      const handshakes = sessions.map(async ({ token }, index) => handshake(server, (index % 2 ? byHeader : bySubprotocol)(token)));
      await Promise.all([changePassword(person), ...handshakes]);
      for (const outcome of await Promise.all(handshakes)) {
        if ('closed' in outcome) expect(await outcome.closed).toEqual(UNAUTHORIZED);
        else expect(outcome).toEqual(REFUSED);
      }
      expect(await person.socket.rows('listLastMessage', NEWEST)).toEqual([]);
    }
  });

  test('a session that ends between the look at it and the opening is not missed', async () => {
    const person = await newPerson(server);
    const { token } = await logIn(server, person);
    const lock = await holdLock(server.databaseUrl, 'LOCK TABLE members');
    const waiting = [handshake(server, byHeader(token)), handshake(server, bySubprotocol(token))];
    await lock.awaited(2);
    await changePassword(person);
    await lock.release();
    const [refused, socket] = await Promise.all(waiting);
    expect(refused).toEqual(REFUSED);
    expect(await (socket && 'closed' in socket && socket.closed)).toEqual(UNAUTHORIZED);
  });
});

describe('a server that stops', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());
  const RESTART = { code: 1012, reason: expect.stringMatching(/./) };

  test('answers what was asked, closes with 1012, and does nothing that is asked later', async () => {
    const stopping = await startServer({}, server.databaseUrl);
    const [ann, bob] = [await newPerson(stopping), await newPerson(stopping)];
    const ask = (messageId: string) => ann.socket.request('privateMessage', { messageId, receiverId: bob.id, content: 'In time' });
    await ask(randomUUID());
    const where = 'id IN (SELECT conversation_id FROM members WHERE user_id = $1)';
    const lock = await holdLock(server.databaseUrl, `SELECT FROM conversations WHERE ${where} FOR UPDATE`, [ann.id]);
    const ids = Array.from({ length: 10 }, () => randomUUID());
    const answers = Promise.all(ids.map(ask));
    await ann.socket.settle();
    const ends = Promise.all([ann.socket.closed(), bob.socket.closed()]);
    const stopped = stopping.app.stop();
    const late = randomUUID();
    ann.socket.send({ type: 'privateMessage', params: { messageId: late, receiverId: bob.id, content: 'Too late' }, requestId: 'late' });
    await lock.release();
    for (const answer of await answers) expect(answer).toMatchObject({ success: true });
    expect(await ends).toEqual([RESTART, RESTART]);
    await stopped;
    const stored = await query(server.databaseUrl, 'SELECT id FROM messages WHERE sender_id = $1 ORDER BY seq', [ann.id]);
    expect(stored.slice(1)).toEqual(ids.map((id) => ({ id })));
    await expect(handshake(stopping, byHeader(ann.token))).rejects.toThrow('ECONNREFUSED');
  });

  test('does not leave a socket open whose handshake was under way', async () => {
    const stopping = await startServer({}, server.databaseUrl);
    const { token } = await newUser(stopping);
    const lock = await holdLock(server.databaseUrl, 'LOCK TABLE members');
    const waiting = [opened(stopping, byHeader(token)), opened(stopping, bySubprotocol(token))];
    await lock.awaited(2);
    const stopped = stopping.app.stop();
    await lock.release();
    for (const { closed } of await Promise.all(waiting)) expect(await closed).toEqual(RESTART);
    await stopped;
  });
});
