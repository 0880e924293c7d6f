import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { REST_PATHS, requestOf } from './support/contract.ts';
import { eventually } from './support/eventually.ts';
import { byHeader, bySubprotocol, handshake, opened } from './support/handshake.ts';
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
  /** The user's claims without one of them, signed as the server does. */
  function without(claim: string): string {
    const claims = Object.entries(z.looseObject({}).parse(jwt.decode(user.token))).filter(([name]) => name !== claim);
    return jwt.sign(Object.fromEntries(claims), JWT_SECRET, { algorithm: 'HS256' });
  }
  /** The user's claims, signed with a key pair of the forger, whose header says where to find the public half. */
  function bringingItsKey(): string {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const header = { alg: 'RS256', jwk: publicKey.export({ format: 'jwk' }), jku: 'https://evil.example/keys', kid: '/dev/null' };
    return jwt.sign(z.looseObject({}).parse(jwt.decode(user.token)), privateKey, { algorithm: 'RS256', header });
  }
  /** A signature with the server's secret that is right for what it signs, under a header that names something else. */
  function underHeader(header: object): string {
    const signed = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${user.token.split('.')[1]}`;
    return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`;
  }

  test('that is missing, or not where it should be, opens no protected path', async () => {
    for (const header of [undefined, '', 'Bearer', 'Bearer ', user.token, `Basic ${user.token}`, `Bearer ${user.token} ${user.token}`]) {
      expect(await statuses(header)).toEqual(all401);
    }
  });

  test.each([
    ['signed with another secret', () => forge(`${JWT_SECRET}!`, 'HS256')],
    ['not signed at all', () => forge('', 'none')],
    ['signed with HS384', () => forge(JWT_SECRET, 'HS384')],
    ['signed with HS512', () => forge(JWT_SECRET, 'HS512')],
    ['signed with RS256 and a key that it brings along', bringingItsKey],
    ['signed with the secret, but says RS256', () => underHeader({ alg: 'RS256', typ: 'JWT' })],
    ['signed with the secret, but says none', () => underHeader({ alg: 'none', typ: 'JWT' })],
    ['signed with the secret, but says hs256', () => underHeader({ alg: 'hs256', typ: 'JWT' })],
    ['signed with the secret, but names no algorithm', () => underHeader({ typ: 'JWT' })],
    ['cut', () => user.token.slice(0, -1)],
    ['changed', () => user.token.replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"me"}').toString('base64url')}.`)],
    ['of a session that never was', () => forge(JWT_SECRET, 'HS256', { sid: randomUUID() })],
    ["of another user's session", () => forge(JWT_SECRET, 'HS256', { sub: randomUUID() })],
    ['made for somebody else', () => forge(JWT_SECRET, 'HS256', { aud: 'another service' })],
    ['made by somebody else', () => forge(JWT_SECRET, 'HS256', { iss: 'another service' })],
    ['not valid yet', () => forge(JWT_SECRET, 'HS256', { nbf: Math.floor(Date.now() / 1000) + 3600 })],
    ['without an end', () => without('exp')],
    ['without an issuer', () => without('iss')],
    ['without an audience', () => without('aud')],
    ['without a user', () => without('sub')],
    ['without a session', () => without('sid')],
  ])('that is %s opens no protected path and no WebSocket', async (_what, token) => {
    expect(await statuses(`Bearer ${token()}`)).toEqual(all401);
    expect(await handshake(server, byHeader(token()))).toMatchObject({ status: 401 });
    expect(await (await opened(server, bySubprotocol(token()))).closed).toEqual({ code: 4001, reason: 'Unauthorized' });
  });

  test('that is signed in the same ways as ours is ours: what is refused above is refused for what differs', async () => {
    for (const token of [forge(JWT_SECRET, 'HS256'), underHeader({ alg: 'HS256', typ: 'JWT' }), without('iat')]) {
      expect((await call(server, 'GET', '/profile', { token })).status).toBe(200);
    }
  });

  test('that is revoked opens no protected path', async () => {
    const { token, email, password } = await newUser(server);
    const other = await logIn(server, { email, password });
    const body = { oldPassword: password, newPassword: 'another password' };
    expect((await call(server, 'PATCH', '/profile/password', { token: other.token, body })).status).toBe(200);
    expect(await statuses(`Bearer ${token}`)).toEqual(all401);
  });

  test('that has expired opens no protected path, and ends its connections when they ask for something', async () => {
    const shortLived = await startServer({ JWT_EXPIRES_IN: '6s' }, server.databaseUrl);
    const { token } = await newUser(shortLived);
    const socket = await connect(shortLived, { token });
    const closed = socket.closed();
    const status = async () => (await call(shortLived, 'GET', '/profile', { token })).status;
    expect(await status()).toBe(200);
    await eventually(async () => expect(await status()).toBe(401));
    expect(await statuses(`Bearer ${token}`)).toEqual(all401);
    socket.send({ type: 'listLastMessage', params: { limit: 1, cursorCreatedAt: null } });
    expect(await closed).toEqual({ code: 4001, reason: 'Unauthorized' });
    expect(socket.frames).toEqual([]);
    await shortLived.app.stop();
  });
});
