import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { byHeader, bySubprotocol, handshake, type Offer, opened } from './support/handshake.ts';
import { newUser, type TestUser } from './support/http.ts';
import { NEWEST } from './support/people.ts';
import { rawSocket, upgradeRequest } from './support/rawSocket.ts';
import { startServer, type TestServer } from './support/server.ts';

const LIMITED = { status: 429, body: { message: 'Too many requests, try again later', code: 'rate_limited' } };

describe('A user who may have ten connections', () => {
  const MAX = 10;
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ MAX_CONNECTIONS_PER_USER: String(MAX) });
  });
  afterAll(() => server.app.stop());

  test('is refused one more, by header with 429 and by subprotocol with 1008, until one is closed; nobody else is', async () => {
    const [user, other] = [await newUser(server), await newUser(server)];
    const offer = (index: number) => (index % 2 ? byHeader : bySubprotocol)(user.token);
    const open = await Promise.all(Array.from({ length: MAX }, (_, index) => opened(server, offer(index))));
    const refused = { message: 'This user has too many connections, close one first', code: 'too_many_connections' };
    expect(await handshake(server, byHeader(user.token))).toEqual({ status: 429, body: refused });
    const { closed, socket } = await opened(server, bySubprotocol(user.token));
    expect(await closed).toEqual({ code: 1008, reason: 'Too many connections' });
    expect(socket.frames).toEqual([]);
    for (const { socket } of [...open, await opened(server, byHeader(other.token))]) {
      expect(await socket.rows('listLastMessage', NEWEST)).toEqual([]);
    }
    await open[0]?.socket.close();
    await eventually(() => opened(server, byHeader(user.token)));
    expect(await handshake(server, byHeader(user.token))).toEqual({ status: 429, body: refused });
  });

  test('gets no more of them when all are opened at once', async () => {
    const user = await newUser(server);
    const outcomes = await Promise.all(Array.from({ length: 300 }, () => handshake(server, byHeader(user.token))));
    expect(outcomes.filter(({ status }) => status === 101)).toHaveLength(MAX);
    expect(outcomes.filter(({ status }) => status === 429)).toHaveLength(300 - MAX);
  });
});

describe('An address whose upgrades are refused', () => {
  const MAX = 200;
  let server: TestServer;
  let user: TestUser;
  beforeAll(async () => {
    server = await startServer({ RATE_LIMITS: 'on', TRUST_PROXY: '1', CORS_ORIGINS: 'https://chat.example.com' });
    user = await newUser(server);
  });
  afterAll(() => server.app.stop());

  const from = (address: string, { headers, ...offer }: Offer): Offer => ({
    ...offer,
    headers: { ...headers, 'x-forwarded-for': address },
  });

  /** Asks so often at once, and returns how often it was answered with each status. */
  async function statuses(to: TestServer, count: number, offer: (index: number) => Offer): Promise<Record<number, number>> {
    const outcomes = await Promise.all(Array.from({ length: count }, (_, index) => handshake(to, offer(index))));
    const found: Record<number, number> = {};
    for (const { status } of outcomes) found[status] = (found[status] ?? 0) + 1;
    return found;
  }

  test.each<[string, Offer, number]>([
    ['for want of a token', {}, 401],
    ['for a forged token in a header', byHeader('forged'), 401],
    ['for a forged token in a subprotocol', bySubprotocol('forged'), 101],
    ['for a foreign origin', { headers: { origin: 'https://evil.example' } }, 403],
    ['for a path that is not there', { path: '/nothing' }, 404],
  ])('%s too often is answered with 429; who has a token is served, from there and from elsewhere', async (what, offer, status) => {
    const address = `198.51.100.${what.length}`;
    expect(await statuses(server, MAX, () => from(address, offer))).toEqual({ [status]: MAX });
    for (const later of [offer, byHeader('forged'), bySubprotocol('forged'), { path: '/nothing' }]) {
      expect(await handshake(server, from(address, later))).toEqual(LIMITED);
    }
    for (const place of [address, '198.51.100.250']) {
      const { socket } = await opened(server, from(place, byHeader(user.token)));
      await socket.close();
    }
  });

  test('too often is told in how many seconds to come back', async () => {
    const forwarded = (text: string) => text.replace('Host:', 'X-Forwarded-For: 198.51.100.1\r\nHost:');
    await statuses(server, MAX, () => from('198.51.100.1', {}));
    const client = await rawSocket(server, forwarded(upgradeRequest('forged')));
    await client.ended;
    const [, seconds] = /^HTTP\/1\.1 429 Too Many Requests\r\n.*Retry-After: (\d+)\r\n/s.exec(client.said()) ?? [];
    expect(Number(seconds)).toBeGreaterThan(0);
    expect(Number(seconds)).toBeLessThanOrEqual(60);
    client.socket.destroy();
  });

  test('is the one that the proxy names: what a client puts before it changes nothing', async () => {
    const offer = (index: number) => from(`203.0.113.${index}, 198.51.100.2`, {});
    expect(await statuses(server, MAX, offer)).toEqual({ 401: MAX });
    expect(await handshake(server, from('203.0.113.250, 198.51.100.2', {}))).toEqual(LIMITED);
  });

  test('is that of the peer where no proxy is trusted, whatever a header says', async () => {
    const direct = await startServer({ RATE_LIMITS: 'on' }, server.databaseUrl);
    expect(await statuses(direct, MAX, (index) => from(`203.0.113.${index}`, {}))).toEqual({ 401: MAX });
    expect(await handshake(direct, from('203.0.113.250', {}))).toEqual(LIMITED);
    await direct.app.stop();
  });

  test('does not count those that succeed, nor those of a user with too many connections', async () => {
    const few = await startServer({ RATE_LIMITS: 'on', MAX_CONNECTIONS_PER_USER: '1' }, server.databaseUrl);
    const { socket } = await opened(few, byHeader(user.token));
    expect(await statuses(few, 2 * MAX, () => byHeader(user.token))).toEqual({ 429: 2 * MAX });
    const closed = once(socket.socket, 'close');
    socket.socket.close();
    await closed;
    for (let time = 0; time < MAX; time++) {
      const { socket } = await eventually(() => opened(few, byHeader(user.token)));
      await socket.close();
    }
    expect((await handshake(few, {})).status).toBe(401);
    await few.app.stop();
  });

  test('is served as ever with RATE_LIMITS=off', async () => {
    const unlimited = await startServer({}, server.databaseUrl);
    expect(await statuses(unlimited, MAX + 50, () => ({}))).toEqual({ 401: MAX + 50 });
    await unlimited.app.stop();
  });
});
