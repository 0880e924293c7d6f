import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { REST_PATHS, requestOf } from './support/contract.ts';
import { call, logIn, newUser, type TestUser } from './support/http.ts';
import { JWT_SECRET, startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

describe('a token', () => {
  let server: TestServer;
  let user: TestUser;
  beforeAll(async () => {
    server = await startServer();
    user = await newUser(server);
  });
  afterAll(() => server.app.stop());

  /** The statuses of every path that takes a token, with this header. */
  async function statuses(authorization: string | undefined): Promise<Record<string, number>> {
    const answers = REST_PATHS.filter(({ isProtected }) => isProtected).map(async (rest) => {
      const { path, body } = requestOf(rest, user, randomUUID());
      const answer = await call(server, rest.method, path, { body, ...(authorization !== undefined && { headers: { authorization } }) });
      if (answer.status === 401) {
        expect(answer.body).toEqual({ message: 'Unauthorized', code: 'unauthorized' });
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      }
      return [`${rest.method} ${rest.path}`, answer.status] as const;
    });
    return Object.fromEntries(await Promise.all(answers));
  }
  const all401 = Object.fromEntries(
    REST_PATHS.filter(({ isProtected }) => isProtected).map(({ method, path }) => [`${method} ${path}`, 401]),
  );
  /** The same claims as the user's own token, signed otherwise. */
  function forge(secret: string, algorithm: jwt.Algorithm, changes: object = {}): string {
    const claims = z.looseObject({}).parse(jwt.decode(user.token));
    return jwt.sign({ ...claims, ...changes }, secret, { algorithm });
  }
  function endless(): string {
    const { exp: _exp, ...claims } = z.looseObject({ exp: z.number() }).parse(jwt.decode(user.token));
    return jwt.sign(claims, JWT_SECRET, { algorithm: 'HS256' });
  }

  test('that is missing, or not where it should be, opens no protected path', async () => {
    for (const header of [undefined, '', 'Bearer', 'Bearer ', user.token, `Basic ${user.token}`, `Bearer ${user.token} ${user.token}`]) {
      expect(await statuses(header)).toEqual(all401);
    }
  });

  test.each([
    ['signed with another secret', () => forge(`${JWT_SECRET}!`, 'HS256')],
    ['not signed at all', () => forge('', 'none')],
    ['signed with an algorithm that is not ours', () => forge(JWT_SECRET, 'HS512')],
    ['cut', () => user.token.slice(0, -1)],
    ['changed', () => user.token.replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"me"}').toString('base64url')}.`)],
    ['of a session that never was', () => forge(JWT_SECRET, 'HS256', { sid: randomUUID() })],
    ["of another user's session", () => forge(JWT_SECRET, 'HS256', { sub: randomUUID() })],
    ['made for somebody else', () => forge(JWT_SECRET, 'HS256', { aud: 'another service' })],
    ['without an end', endless],
  ])('that is %s opens no protected path', async (_what, token) => {
    expect(await statuses(`Bearer ${token()}`)).toEqual(all401);
  });

  test('that is revoked opens no protected path', async () => {
    const { token, email, password } = await newUser(server);
    const other = await logIn(server, { email, password });
    const body = { oldPassword: password, newPassword: 'another password' };
    expect((await call(server, 'PATCH', '/profile/password', { token: other.token, body })).status).toBe(200);
    expect(await statuses(`Bearer ${token}`)).toEqual(all401);
  });

  test('that has expired opens no protected path, and ends its connections when they ask for something', async () => {
    const shortLived = await startServer({ JWT_EXPIRES_IN: '3s' }, server.databaseUrl);
    const { token } = await newUser(shortLived);
    const socket = await connect(shortLived, { token });
    const closed = socket.closed();
    const status = async () => (await call(shortLived, 'GET', '/profile', { token })).status;
    expect(await status()).toBe(200);
    await vi.waitFor(async () => expect(await status()).toBe(401), { timeout: 10_000 });
    expect(await statuses(`Bearer ${token}`)).toEqual(all401);
    socket.send({ type: 'listLastMessage', params: { limit: 1, cursorCreatedAt: null } });
    expect(await closed).toEqual({ code: 4001, reason: 'Unauthorized' });
    expect(socket.frames).toEqual([]);
    await shortLived.app.stop();
  });
});
