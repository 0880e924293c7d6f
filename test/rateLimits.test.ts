import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { newDatabase } from './support/database.ts';
import { openProxy } from './support/databaseProxy.ts';
import { eventually } from './support/eventually.ts';
import { call, type HttpAnswer, newUser, type TestUser } from './support/http.ts';
import { heard, newPerson, type Person } from './support/people.ts';
import { rawSocket } from './support/rawSocket.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

/** A request without a body as it is on the wire, or with `{}` as its body. */
const requestText = (method: string, path: string, { token }: TestUser, connection: string) => {
  const body = method === 'GET' ? '' : '{}';
  const head = `${method} /api${path} HTTP/1.1\r\nHost: localhost\r\nConnection: ${connection}\r\nAuthorization: Bearer ${token}\r\n`;
  return `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

/** Requests that are under way at once. */
const AT_ONCE = 50;

describe('HTTP, behind one proxy,', () => {
  let server: TestServer;
  let user: TestUser;
  beforeAll(async () => {
    server = await startServer({ RATE_LIMITS: 'on', TRUST_PROXY: '1' });
    user = await newUser(server);
  });
  afterAll(() => server.app.stop());

  const register = (address: string, body: object = {}, to = server) =>
    call(to, 'POST', '/auth/register', { body, headers: { 'x-forwarded-for': address } });

  /** Asks as often as it must be served, and once more. */
  async function expectLimit(count: number, ask: (index: number) => Promise<HttpAnswer>): Promise<void> {
    for (let first = 0; first < count; first += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, index) => ask(first + index));
      expect((await Promise.all(some)).filter(({ status }) => status === 429)).toEqual([]);
    }
    const refused = await ask(count);
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', message: 'Too many requests, try again later' } });
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(600);
  }

  test('takes 300 registrations from one address, however it names others before it, and more from another', async () => {
    await expectLimit(300, (index) => register(`203.0.113.${index % 250}, 198.51.100.1`));
    expect((await register('198.51.100.1, 198.51.100.2')).status).toBe(400);
  });

  test('takes 10 registrations of one e-mail, in whatever case and from whatever address, and those of another', async () => {
    const registration = (email: string) => ({ firstName: 'Ann', email, password: 'correct horse' });
    const email = `Ann.${randomUUID()}@example.com`;
    const cases = [email, email.toLowerCase(), email.toUpperCase()];
    await expectLimit(10, (index) => register(`192.0.2.${index}`, registration(cases[index % 3] ?? email)));
    expect((await register('192.0.2.1', registration(`x${email}`))).status).toBe(201);
  });

  test('takes 600 log-ins from one address, and more from another', async () => {
    const logIn = (address: string) => call(server, 'POST', '/auth/login', { body: {}, headers: { 'x-forwarded-for': address } });
    await expectLimit(600, () => logIn('198.51.100.3'));
    expect((await logIn('198.51.100.4')).status).toBe(400);
  });

  test('does not count log-ins that failed because the database was away', async () => {
    const proxy = await openProxy(await newDatabase());
    const other = await startServer({ RATE_LIMITS: 'on' }, proxy.url);
    const { email, password } = await newUser(other);
    const logIn = () => call(other, 'POST', '/auth/login', { body: { email, password } });
    await proxy.refuse();
    for (let count = 0; count <= 20; count++) expect(await logIn()).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    await proxy.accept();
    await eventually(async () => expect(await logIn()).toMatchObject({ status: 200 }));
    await other.app.stop();
    await proxy.close();
  });

  test('takes 20 password changes for one account from whatever address, and those of another', async () => {
    const other = await newUser(server);
    const change = ({ token }: TestUser, address: string) =>
      call(server, 'PATCH', '/profile/password', { token, body: {}, headers: { 'x-forwarded-for': address } });
    await expectLimit(20, (index) => change(user, `192.0.2.${index}`));
    expect((await change(other, '192.0.2.0')).status).toBe(400);
  });

  test('takes 300 searches for one account, of both kinds together, and those of another', async () => {
    const other = await newUser(server);
    const search = ({ token }: TestUser, index: number) => call(server, 'GET', index % 2 ? '/search' : '/search/users', { token });
    await expectLimit(300, (index) => search(user, index));
    expect((await search(other, 1)).status).toBe(400);
  });

  test('takes 1,800 other requests for one account, whatever they ask, and those of another', async () => {
    const [one, other] = [await newUser(server), await newUser(server)];
    const asks = [
      ['GET', '/profile'],
      ['POST', '/groups'],
      ['PATCH', `/dialogs/${other.id}/chat`],
    ] as const;
    // Behind one another on a connection, which takes the least time: all have to come within a minute.
    const some = Array.from({ length: asks.length * AT_ONCE }, (_, index) => asks[index % asks.length] ?? asks[0]);
    const connection = (index: number) => (index === some.length - 1 ? 'close' : 'keep-alive');
    const text = some.map(([method, path], index) => requestText(method, path, one, connection(index))).join('');
    for (let count = 0; count < 1_800; count += some.length) {
      const client = await rawSocket(server, text);
      await client.ended;
      const statuses = client.said().match(/(?<=HTTP\/1\.1 )\d+/g);
      expect(statuses).toEqual(some.map(([method]) => (method === 'GET' ? '200' : '400')));
    }
    const ask = ({ token }: TestUser, method: string, path: string) =>
      call(server, method, path, { token, ...(method !== 'GET' && { body: {} }) });
    await expectLimit(0, () => ask(one, ...asks[0]));
    for (const [method, path] of asks) expect((await ask(one, method, path)).status).toBe(429);
    expect((await ask(other, ...asks[0])).status).toBe(200);
  });

  test('counts IPv6 addresses by their /64', async () => {
    await expectLimit(300, (index) => register(`2001:db8:1:1::${index.toString(16)}`));
    expect((await register('2001:db8:1:2::1')).status).toBe(400);
  });

  test('counts IPv4 addresses that are written as IPv6 as IPv4', async () => {
    await expectLimit(300, (index) => register(index % 2 ? '198.51.100.5' : '::ffff:198.51.100.5'));
    expect((await register('::ffff:198.51.100.6')).status).toBe(400);
  });

  test('counts by the address of a proxy that names none', async () => {
    const proxied = await startServer({ RATE_LIMITS: 'on', TRUST_PROXY: '1' }, server.databaseUrl);
    await expectLimit(300, (index) => register(`unknown:${index}`, {}, proxied));
    await proxied.app.stop();
  });

  test('with no proxy to trust counts by the address of the peer, whatever a header says', async () => {
    const direct = await startServer({ RATE_LIMITS: 'on' }, server.databaseUrl);
    await expectLimit(300, (index) => register(`203.0.113.${index % 250}`, {}, direct));
    await direct.app.stop();
  });

  test('trusts proxies by their addresses: the first that is none of them counts', async () => {
    const named = await startServer({ RATE_LIMITS: 'on', TRUST_PROXY: 'loopback, 10.0.0.0/8' }, server.databaseUrl);
    await expectLimit(300, (index) => register(`203.0.113.${index % 250}, 198.51.100.1, 10.0.0.${index % 250}`, {}, named));
    expect((await register('198.51.100.2, 10.0.0.1', {}, named)).status).toBe(400);
    await named.app.stop();
  });
});

describe('A connection that asks more than 300 times at once', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ RATE_LIMITS: 'on' });
  });
  afterAll(() => server.app.stop());

  const frame = ({ id }: Person, requestId: number) => ({
    type: 'privateMessage',
    params: { messageId: randomUUID(), receiverId: id, content: String(requestId) },
    requestId,
  });

  test('is refused the rest, told when to come back, and served then; what it sent before is done in its order', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const begin = performance.now();
    let sent = 0;
    const sendMore = async (count: number) => {
      for (const end = sent + count; sent < end; sent++) ann.socket.send(frame(bob, sent));
      await ann.socket.until(() => ann.socket.frames.length === sent);
      return ann.socket.frames.flatMap((frame) => ('error' in frame ? [frame] : []));
    };
    let refused = await sendMore(380);
    // A machine that is so slow that the limit has kept pace.
    while (refused.length === 0) refused = await sendMore(80);
    const seconds = (performance.now() - begin) / 1000;
    expect(sent - refused.length).toBeGreaterThanOrEqual(300);
    expect(sent - refused.length).toBeLessThanOrEqual(300 + 30 * seconds + 1);
    const [first] = refused;
    expect(first).toEqual({
      error: true,
      type: 'privateMessage',
      code: 'rate_limited',
      message: 'Too many requests, try again later',
      retryAfter: 1,
      requestId: expect.any(Number),
    });
    const numbers = new Set(refused.map(({ requestId }) => requestId));
    const served = Array.from({ length: sent }, (_, index) => index).filter((index) => !numbers.has(index));
    expect((await heard(bob)).map((item) => item?.message)).toEqual(served.map(String));
    await delay((refused.at(-1)?.retryAfter ?? 0) * 1000);
    await ann.socket.ask('privateMessage', frame(bob, 0).params);
    await Promise.all([ann.socket.close(), bob.socket.close()]);
  });

  test('and goes on is closed with 1008 after 100 refusals, and nobody else is; frames that are none count too', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const second = await connect(server, ann);
    const begun = performance.now();
    const closed = ann.socket.closed();
    const kinds = ['{', Buffer.from('x'), { type: 'nothing' }, { type: 'dropGroup' }, { requestId: 1 }];
    for (let count = 0; count < 1_000; count++) ann.socket.send(kinds[count % kinds.length]);
    expect(await closed).toEqual({ code: 1008, reason: 'Too many requests' });
    const refused = ann.socket.frames.flatMap((frame) => ('error' in frame && frame.code === 'rate_limited' ? [frame] : []));
    const seconds = (performance.now() - begun) / 1000;
    // Of the 100, two in five cannot be read, and that is what is said of them. What is served meanwhile shifts that a little.
    expect(refused.length).toBeGreaterThanOrEqual(55);
    expect(refused.length).toBeLessThan(80 + 30 * seconds);
    expect(new Set(refused.map(({ type }) => type))).toEqual(new Set(['processor', 'dropGroup']));
    await second.ask('privateMessage', frame(bob, 0).params);
    expect(await heard(bob)).toHaveLength(1);
  });

  test.each(['ping', 'pong'] as const)('by %s frames, which nothing refuses, is closed with 1008 in the end', async (kind) => {
    const { socket } = await newPerson(server);
    const closed = socket.closed();
    // In portions: `ws` itself ends a connection that has very many pings at once.
    for (let portion = 0; portion < 20 && socket.socket.readyState === WebSocket.OPEN; portion++) {
      for (let count = 0; count < 50; count++) socket.socket[kind]();
      await Promise.race([socket.settle(), closed]);
    }
    expect(await closed).toEqual({ code: 1008, reason: 'Too many requests' });
  });

  test('is served with RATE_LIMITS=off', async () => {
    const unlimited = await startServer({}, server.databaseUrl);
    const ann = await newPerson(unlimited);
    for (let requestId = 0; requestId < 1_000; requestId++) ann.socket.send({ type: 'nothing', requestId });
    await ann.socket.until(() => ann.socket.frames.length === 1_000);
    expect(new Set(ann.socket.frames.map((frame) => 'error' in frame && frame.code))).toEqual(new Set(['unknown_type']));
    await unlimited.app.stop();
  });
});

describe('An account that puts people into groups', () => {
  let server: TestServer;
  let unlimited: TestServer;
  let guestIds: string[];
  beforeAll(async () => {
    server = await startServer({ RATE_LIMITS: 'on' });
    unlimited = await startServer({}, server.databaseUrl);
    guestIds = (await Promise.all(Array.from({ length: 99 }, () => newUser(unlimited)))).map(({ id }) => id);
  });
  afterAll(() => Promise.all([server.app.stop(), unlimited.app.stop()]));

  const newGroup = (userIds: string[], groupId = randomUUID()) => ({ groupId, groupName: 'Friends', userIds });
  const newcomer = (userId: string) => ({ userId, messageId: randomUUID(), message: 'added' });

  test('is refused after 1,000, over the WebSocket and HTTP together; a new group counts as one more, and a repeat like the first', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const post = (path: string, body: object) => call(server, 'POST', path, { token: ann.token, body });
    const postGroup = (userIds: string[]) =>
      post('/groups', { ...newGroup(userIds), notificationMessage: 'created', messageId: randomUUID() });
    const group = newGroup(guestIds);
    const { groupId } = group;
    for (let count = 0; count < 5; count++) await ann.socket.ask('newGroup', group);
    for (let count = 0; count < 4; count++) expect((await postGroup(guestIds)).status).toBe(200);
    // Neither who is named twice nor the creator is put into it once more.
    await ann.socket.ask('newGroup', newGroup([...guestIds.slice(2), ...guestIds.slice(-1), ann.id]));
    const addition = newcomer(bob.id);
    await ann.socket.ask('addUserInGroup', { groupId, ...addition });
    expect((await post(`/groups/${groupId}/members`, addition)).status).toBe(201);

    const { id: carolId } = await newUser(server);
    const refused = newGroup([]);
    for (const frame of [
      await ann.socket.fail('newGroup', refused),
      await ann.socket.fail('addUserInGroup', { groupId, ...newcomer(carolId) }),
    ]) {
      expect(frame).toMatchObject({ code: 'rate_limited', retryAfter: expect.any(Number) });
      expect(frame.retryAfter).toBeLessThanOrEqual(600);
    }
    for (const answer of [await postGroup([]), await post(`/groups/${groupId}/members`, newcomer(carolId))]) {
      expect(answer).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    }
    expect(await ann.socket.fail('getGroupMembers', { groupId: refused.groupId, limit: 1, cursor: null })).toMatchObject({
      code: 'not_a_member',
    });
    await bob.socket.ask('addUserInGroup', { groupId, ...newcomer(carolId) });
  });

  test('is served with RATE_LIMITS=off', async () => {
    const ann = await newPerson(unlimited);
    for (let count = 0; count <= 10; count++) await ann.socket.ask('newGroup', newGroup(guestIds));
  });
});
