import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from './support/http.ts';
import { startServer, type TestServer } from './support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.app.stop());

/** A request as Java's client and `curl --http2` make it: with the offer to go on in HTTP/2. */
function offerHttp2(method: string, path: string, body = ''): Promise<{ status: number | undefined; body: string }> {
  const headers = {
    connection: 'Upgrade, HTTP2-Settings',
    upgrade: 'h2c',
    'http2-settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { method, headers }, async (response) => {
      resolve({ status: response.statusCode, body: await text(response) });
    });
    sent.on('error', reject).end(body);
  });
}

test('a request that offers HTTP/2 is served as if it had not', async () => {
  expect(await offerHttp2('GET', '/health/live')).toEqual({ status: 200, body: '{"status":"live"}' });
  expect(await offerHttp2('GET', '/api/profile')).toMatchObject({ status: 401 });
  expect(await offerHttp2('GET', '/api/nothing')).toMatchObject({ status: 404 });
});

test('its body is read, also when it is larger than what comes with the headers', async () => {
  const account = { firstName: 'Jan', email: 'jan@example.com', password: 'correct horse' };
  expect(await offerHttp2('POST', '/api/auth/register', JSON.stringify(account))).toMatchObject({ status: 201 });
  const padded = JSON.stringify({ ...account, lastName: 'x'.repeat(100_000) });
  expect(await offerHttp2('POST', '/api/auth/register', padded)).toMatchObject({ status: 400, body: expect.stringContaining('lastName') });
  expect((await call(server, 'POST', '/auth/login', { body: { email: account.email, password: account.password } })).status).toBe(200);
});
