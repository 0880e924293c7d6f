import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, newUser, type TestUser } from './support/http.ts';
import { JWT_SECRET, startServer, type TestServer } from './support/server.ts';

describe('HTTP', () => {
  let server: TestServer;
  let user: TestUser;
  beforeAll(async () => {
    server = await startServer();
    user = await newUser(server, 'Ann', 'Archer');
  });
  afterAll(() => server.app.stop());

  const patch = (body: BodyInit, contentType?: string) =>
    fetch(`${server.url}/api/profile`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${user.token}`, ...(contentType !== undefined && { 'content-type': contentType }) },
      body,
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    });
  const bytes = (text: string) => new TextEncoder().encode(text);
  const rename = JSON.stringify({ firstName: 'Nobody' });

  test('an error is a message and a code, as JSON, and a list of what is wrong only where there is one', async () => {
    const plain = await call(server, 'GET', '/profile');
    expect(plain).toMatchObject({ status: 401, body: { message: 'Unauthorized', code: 'unauthorized' } });
    expect(Object.keys(Object(plain.body))).toEqual(['message', 'code']);
    expect(plain.headers.get('content-type')).toMatch(/^application\/json\b/);
    const invalid = await call(server, 'PATCH', '/profile', { token: user.token, body: { firstName: '' } });
    expect(invalid.body).toEqual({
      message: expect.any(String),
      code: 'invalid_params',
      errors: [{ path: 'firstName', message: 'must not be empty' }],
    });
  });

  test('every answer tells browsers to load, frame and guess nothing, and leaves it to a proxy to insist on HTTPS', async () => {
    const elsewhere = { headers: { origin: 'https://elsewhere.example' } };
    const production = await startServer({ NODE_ENV: 'production', JWT_SECRET }, server.databaseUrl);
    const answers = [
      ...['/health/live', '/api/', '/doc/swagger-ui.css', '/api/profile', '/nothing', '/api/ws'].map((path) => fetch(server.url + path)),
      fetch(`${production.url}/api/profile`, elsewhere),
      fetch(`${server.url}/api/profile`, { method: 'OPTIONS', ...elsewhere }),
    ];
    for (const { headers } of await Promise.all(answers)) {
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
      expect(policy).not.toContain('upgrade-insecure-requests');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('strict-transport-security')).toBeNull();
      expect(headers.get('x-powered-by')).toBeNull();
    }
    await production.app.stop();
  });

  test.each(['{', '{"firstName":}', "{'firstName':'x'}", 'null', '"text"', '{"a":1}}', '\u0000'])(
    'a body of %j is invalid JSON',
    async (body) => {
      expect(await call(server, 'PATCH', '/profile', { token: user.token, body })).toMatchObject({
        status: 400,
        body: { code: 'invalid_json', message: 'This is not valid JSON' },
      });
    },
  );

  test('a body that is not UTF-8 is invalid JSON, and nothing else is stored instead of it', async () => {
    const garbled = Buffer.concat([Buffer.from('{"firstName":"Ann'), Buffer.from([0xff]), Buffer.from('"}')]);
    const response = await patch(garbled, 'application/json');
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'invalid_json' }]);
    expect((await call(server, 'GET', '/profile', user)).body).toMatchObject({ data: { firstName: 'Ann' } });
  });

  test.each(['/search?searchText=Ann', '/search', '/chats?limit=1', '/chats?limit=0'])('HEAD %s is answered as GET is', async (path) => {
    const get = await call(server, 'GET', path, user);
    const head = await call(server, 'HEAD', path, user);
    expect([head.status, head.headers.get('content-length')]).toEqual([get.status, get.headers.get('content-length')]);
  });

  test.each(['[{"firstName":"x"}]', '[["firstName","x"]]'])('a body of %j is not what is wanted', async (body) => {
    const { token } = user;
    expect(await call(server, 'PATCH', '/profile', { token, body })).toMatchObject({ status: 400, body: { code: 'invalid_params' } });
  });

  test('a body that is too large is refused with 413, whatever is in it', async () => {
    const body = { firstName: 'x'.repeat(1_000_000) };
    expect(await call(server, 'PATCH', '/profile', { token: user.token, body })).toMatchObject({
      status: 413,
      body: { code: 'body_too_large' },
    });
  });

  test('the longest message fits into a body, however it is escaped', async () => {
    const notificationMessage = '\\ud83d\\ude42'.repeat(10_000);
    const rest = JSON.stringify({ groupId: randomUUID(), groupName: 'Friends', messageId: randomUUID() });
    const body = rest.replace('{', `{"notificationMessage":"${notificationMessage}",`);
    expect(await call(server, 'POST', '/groups', { token: user.token, body })).toMatchObject({ status: 200 });
  });

  test.each([
    ['no content type', bytes(rename), undefined],
    ['the type of plain text', bytes(rename), 'text/plain'],
    ['the type of a form', bytes('firstName=Nobody'), 'application/x-www-form-urlencoded'],
    ['JSON in another charset than Unicode', bytes(rename), 'application/json; charset=iso-8859-1'],
    ['no content type and no length', new Blob([rename]).stream(), undefined],
  ])('a body with %s is refused with 415, and changes nothing', async (_what, body, contentType) => {
    const response = await patch(body, contentType);
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ code: 'not_json', message: expect.stringContaining('Content-Type') });
    expect((await call(server, 'GET', '/profile', user)).body).toMatchObject({ data: { firstName: 'Ann' } });
  });

  test.each([
    ['GET', '/api/nothing'],
    ['POST', '/api/profile/nothing'],
    ['GET', '/api/auth/login'],
    ['DELETE', '/api/dialogs/'],
    ['GET', '/nothing'],
    ['GET', '/api/../etc/passwd'],
    ['GET', '/swagger.yaml'],
    ['PUT', '/api/profile'],
  ])('%s %s is not there', async (method, path) => {
    const response = await fetch(server.url + path, { method, headers: { authorization: `Bearer ${user.token}` } });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ message: expect.any(String), code: 'not_found' });
  });

  test('an address that cannot be decoded is refused, and not a failure of the server', async () => {
    const response = await fetch(`${server.url}/api/dialogs/%E0%A4%A`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${user.token}` },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_request' });
  });

  test('the scheme of the token may be written in any case', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const answer = await call(server, 'GET', '/profile', { headers: { authorization: `${scheme} ${user.token}` } });
      expect(answer.status).toBe(200);
    }
  });

  test('/ leads to the documentation', async () => {
    const first = await fetch(server.url, { redirect: 'manual' });
    expect([first.status, first.headers.get('location')]).toEqual([302, '/api/']);
    const response = await fetch(server.url);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('swagger-ui');
  });

  test.each(['/api/', '/api', '/doc/', '/doc'])('%s is the Swagger UI, with all the files that its page names', async (path) => {
    const page = await fetch(server.url + path);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html\b/);
    const html = await page.text();
    const files = [...html.matchAll(/(?:src|href)="(\.?\/?[^":]+)"/g)].map(([, file]) => new URL(file ?? '', page.url).href);
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const response = await fetch(file);
      expect({ [file]: response.status }).toEqual({ [file]: 200 });
      const text = await response.text();
      if (file.endsWith('swagger-ui-init.js')) expect(text).toContain('"/api/auth/register"');
    }
  });

  test.each([
    ['/health/live', 'live'],
    ['/health/ready', 'ready'],
  ])('%s answers a probe', async (path, status) => {
    const response = await fetch(server.url + path, { headers: { origin: 'https://elsewhere.example' } });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status });
  });
});

describe('log-ins that fail', () => {
  test('too often for one account are refused for a while, also with the right password; other accounts are not', async () => {
    const server = await startServer({ RATE_LIMITS: 'on' });
    const [victim, other] = [await newUser(server), await newUser(server)];
    const attempt = (email: string, password: string) => call(server, 'POST', '/auth/login', { body: { email, password } });
    // Guessed at in upper case, and then refused in lower case: it is one account.
    const email = victim.email.toUpperCase();
    let refused = await attempt(email, 'first guess');
    let failures = 1;
    for (; refused.status === 400 && failures < 1_000; failures++) refused = await attempt(email, `guess ${failures}`);
    expect(failures).toBeGreaterThanOrEqual(5);
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', message: expect.any(String) } });
    const seconds = Number(refused.headers.get('retry-after'));
    expect(Number.isInteger(seconds) && seconds > 0 && seconds <= 3600).toBe(true);
    expect((await attempt(victim.email, victim.password)).status).toBe(429);
    // As often as the other failed, and once more: success is not counted.
    for (let time = 0; time <= failures; time++) expect((await attempt(other.email, other.password)).status).toBe(200);
    expect((await call(server, 'GET', '/profile', victim)).status).toBe(200);
    await server.app.stop();
  });

  test('count for one account however its e-mail is spelled', async () => {
    const server = await startServer({ RATE_LIMITS: 'on' });
    const email = `victim.${randomUUID()}@example.com`;
    const attempt = (email: string) => call(server, 'POST', '/auth/login', { body: { email, password: 'a guess' } });
    for (let guess = 0; guess < 20; guess++) expect((await attempt(email)).status).toBe(400);
    // PostgreSQL compares in lower case, where some letters that are not alike become so.
    for (const spelling of [email, email.toUpperCase(), email.replace('i', 'İ')]) expect((await attempt(spelling)).status).toBe(429);
    await server.app.stop();
  });
});
