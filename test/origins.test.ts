import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byHeader, handshake } from './support/handshake.ts';
import { call, newUser, type TestUser } from './support/http.ts';
import { JWT_SECRET, startServer, type TestServer } from './support/server.ts';

const ALLOWED = ['https://chat.example.com', 'http://localhost:5173'];

describe('a browser on another origin', () => {
  let server: TestServer;
  let user: TestUser;
  beforeAll(async () => {
    server = await startServer({ CORS_ORIGINS: ALLOWED.join(', ') });
    user = await newUser(server);
  });
  afterAll(() => server.app.stop());

  const from = (origin: string, to: TestServer = server) => call(to, 'GET', '/profile', { token: user.token, headers: { origin } });
  /** The status of a request with headers that `fetch` would not send. */
  async function statusOf(to: TestServer, headers: Record<string, string>): Promise<number | undefined> {
    const asked = request(`${to.url}/api/profile`, { headers: { authorization: `Bearer ${user.token}`, ...headers } }).end();
    const [response]: IncomingMessage[] = await once(asked, 'response');
    response?.resume();
    return response?.statusCode;
  }
  async function upgrade(to: TestServer, headers: Record<string, string>): Promise<number> {
    const outcome = await handshake(to, { headers: { ...byHeader(user.token).headers, ...headers } });
    if ('socket' in outcome) await outcome.socket.close();
    return outcome.status;
  }
  const preflight = (origin: string, method: string) =>
    fetch(`${server.url}/api/profile`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization,content-type' },
    });
  const list = (response: Response, header: string) => (response.headers.get(header) ?? '').toLowerCase().split(/\s*,\s*/);

  test.each([
    'https://evil.example',
    'null',
    'https://chat.example.com.evil.example',
    'https://evilchat.example.com',
    'https://sub.chat.example.com',
    'http://chat.example.com',
    'https://chat.example.com:8443',
    'https://chat.example.com/',
    'https://chat.example.com@evil.example',
    'localhost:5173',
    'file://',
    '*',
  ])('%s that is not allowed is refused with 403, before anything is done', async (origin) => {
    const answer = await from(origin);
    expect(answer).toMatchObject({ status: 403, body: { code: 'origin_refused', message: expect.any(String) } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const { status, headers } = await preflight(origin, 'PATCH');
    expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null]);
    const { email, password } = user;
    expect((await call(server, 'POST', '/auth/login', { body: { email, password }, headers: { origin } })).status).toBe(403);
    expect(await upgrade(server, { origin })).toBe(403);
  });

  test.each(ALLOWED)('%s that is allowed gets an answer that it may read, also of an error', async (origin) => {
    const answer = await from(origin);
    expect(answer.status).toBe(200);
    const failure = await call(server, 'GET', '/profile', { headers: { origin } });
    expect(failure.status).toBe(401);
    for (const { headers } of [answer, failure]) {
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('vary')?.toLowerCase()).toContain('origin');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  test.each(['GET', 'POST', 'PATCH', 'DELETE'])('that is allowed may ask before a %s with a token and JSON', async (method) => {
    const response = await preflight(ALLOWED[0] ?? '', method);
    expect(response.ok).toBe(true);
    expect(response.headers.get('access-control-allow-origin')).toBe(ALLOWED[0]);
    expect(list(response, 'access-control-allow-methods')).toContain(method.toLowerCase());
    expect(list(response, 'access-control-allow-headers')).toEqual(expect.arrayContaining(['authorization', 'content-type']));
  });

  test('is not meant by what is not a browser, nor by a page of this server', async () => {
    expect((await call(server, 'GET', '/profile', user)).status).toBe(200);
    expect((await from(server.url)).status).toBe(200);
  });

  test.each(['localhost', '127.0.0.1', '[::1]'])('is not meant by a page of this server that was opened by %s', async (name) => {
    const host = `${name}:${new URL(server.url).port}`;
    const headers = { origin: `http://${host}`, host };
    expect([await statusOf(server, headers), await upgrade(server, headers)]).toEqual([200, 101]);
  });

  test.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', 'chat.example.com'])(
    'whose name %s leads to this server (DNS rebinding) is refused, though origin and host are alike',
    async (name) => {
      const host = `${name}:${new URL(server.url).port}`;
      const headers = { origin: `http://${host}`, host };
      expect([await statusOf(server, headers), await upgrade(server, headers)]).toEqual([403, 403]);
    },
  );

  test('gains nothing by a Host that is not its own', async () => {
    for (const host of ['evil.example', ALLOWED[0] ?? '', 'localhost']) {
      const headers = { origin: 'http://127.0.0.1:1', host };
      expect([await statusOf(server, headers), await upgrade(server, headers)]).toEqual([403, 403]);
    }
  });

  test('may be anywhere in development, and nowhere in production, unless CORS_ORIGINS says so', async () => {
    const settings = { NODE_ENV: 'production', JWT_SECRET };
    const development = await startServer({}, server.databaseUrl);
    const production = await startServer(settings, server.databaseUrl);
    const open = await startServer({ ...settings, CORS_ORIGINS: '*' }, server.databaseUrl);
    const origin = 'https://anywhere.example';
    expect((await from(origin, development)).headers.get('access-control-allow-origin')).toBe(origin);
    expect((await from(origin, production)).status).toBe(403);
    expect((await from('null', production)).status).toBe(403);
    expect((await from(origin, open)).headers.get('access-control-allow-origin')).toBe(origin);
    await Promise.all([development, production, open].map(({ app }) => app.stop()));
  });
});
