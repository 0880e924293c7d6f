import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DatabaseProxy, openProxy } from './support/databaseProxy.ts';
import { eventually } from './support/eventually.ts';
import { call, logIn, newUser } from './support/http.ts';
import { METRICS_TOKEN, scrape } from './support/metrics.ts';
import { heard, leave, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect, type Socket } from './support/socket.ts';

/** Longest that anything may wait for a Redis that does not answer, in milliseconds, on a busy machine. */
const PATIENCE = 10_000;

describe.skipIf(!isRedisInstalled)('while Redis is away', () => {
  let redis: RedisServer;
  let proxy: DatabaseProxy;
  let here: TestServer;
  /** Its way to Redis is through the proxy. */
  let there: TestServer;

  beforeEach(async () => {
    redis = await RedisServer.start();
    proxy = await openProxy(redis.url);
    here = await startServer({ REDIS_URL: redis.url, METRICS_TOKEN });
    there = await startServer({ REDIS_URL: proxy.url }, here.databaseUrl);
  });
  afterEach(async () => {
    await Promise.all([here.app.stop(), there.app.stop()]);
    await proxy.close();
    await redis.stop();
  });

  const ready = async ({ url }: TestServer) => {
    const response = await fetch(`${url}/health/ready`);
    return { status: response.status, body: await response.json() };
  };
  const isDegraded = (server: TestServer) =>
    eventually(async () => expect(await ready(server)).toMatchObject({ status: 200, body: { status: 'degraded' } }));
  const isReady = (server: TestServer) =>
    eventually(async () => expect(await ready(server)).toEqual({ status: 200, body: { status: 'ready' } }));
  const metric = async (name: string) => (await scrape(here))[name];
  /** A person whose connection asked to be told when to catch up. */
  async function careful(server: TestServer): Promise<Person> {
    const person = await newPerson(server);
    await person.socket.ask('subscribe', { events: ['catchUp'] });
    return person;
  }
  const missed = (socket: Socket, receiverId: string, afterRev: number) =>
    socket.rows('getMissed', { cursors: [{ receiverId, afterRev }], changedSince: null, limit: 100 });

  test('sends are kept and answered, those here hear them, and the server is ready, though degraded', async () => {
    const [alice, bob, carol] = [await newPerson(here), await newPerson(here), await newPerson(there)];
    expect(await metric('messenger_bus_up')).toBe(1);
    await redis.kill();
    await isDegraded(here);
    expect(await metric('messenger_bus_up')).toBe(0);
    const begun = performance.now();
    await write(alice, bob, 'Hello');
    await write(alice, carol, 'Hello');
    expect(performance.now() - begun).toBeLessThan(PATIENCE);
    expect(await bob.socket.broadcast('privateMessage')).toMatchObject({ message: 'Hello' });
    expect(await missed(carol.socket, alice.id, 0)).toEqual([expect.objectContaining({ content: 'Hello' })]);
    expect(Number(await metric('messenger_bus_lost_total'))).toBeGreaterThan(0);
    await newPerson(here);
  });

  test('when it is back, whoever asked for it is told to catch up, and finds what was missed; then everything flows again', async () => {
    const [alice, bob, classic] = [await careful(here), await careful(there), await newPerson(there)];
    await redis.kill();
    await isDegraded(here);
    await write(alice, bob, 'lost on the way');
    await redis.launch();
    for (const { socket } of [alice, bob]) expect(await socket.broadcast('catchUp')).toEqual({});
    expect(await missed(bob.socket, alice.id, 0)).toEqual([expect.objectContaining({ content: 'lost on the way' })]);
    await Promise.all([isReady(here), isReady(there)]);
    await write(alice, bob, 'arrives');
    await write(alice, classic, 'arrives');
    for (const { socket } of [bob, classic]) expect(await socket.broadcast('privateMessage')).toMatchObject({ message: 'arrives' });
    expect((await heard(classic)).length).toBe(1);
  });

  test('what one server alone could not tell, the clients of the others are told to catch up on', async () => {
    const [alice, bob] = [await newPerson(there), await careful(here)];
    proxy.freeze();
    await write(alice, bob, 'lost on the way');
    await isDegraded(there);
    expect(await heard(bob)).toEqual([]);
    proxy.thaw();
    await isReady(there);
    expect(await bob.socket.broadcast('catchUp')).toEqual({});
    expect(await missed(bob.socket, alice.id, 0)).toEqual([expect.objectContaining({ content: 'lost on the way' })]);
  });

  test('a Redis that has gone silent holds up neither sends nor new connections', async () => {
    const [alice, bob] = [await newPerson(here), await newPerson(here)];
    redis.freeze();
    try {
      const begun = performance.now();
      await write(alice, bob, 'Hello');
      expect(await bob.socket.broadcast('privateMessage')).toMatchObject({ message: 'Hello' });
      const again = await connect(here, bob);
      await write(alice, bob, 'Hello again');
      expect(await again.broadcast('privateMessage')).toMatchObject({ message: 'Hello again' });
      expect(performance.now() - begun).toBeLessThan(PATIENCE);
      await isDegraded(here);
    } finally {
      redis.thaw();
    }
    await isReady(here);
  });

  test('a session that ended elsewhere meanwhile is closed within seconds all the same', async () => {
    const alice = await newUser(here);
    const other = await connect(there, await logIn(here, alice));
    const closed = other.closed();
    await redis.kill();
    await Promise.all([isDegraded(here), isDegraded(there)]);
    const body = { oldPassword: alice.password, newPassword: 'another password' };
    expect((await call(here, 'PATCH', '/profile/password', { token: alice.token, body })).status).toBe(200);
    expect(await closed).toEqual({ code: 4001, reason: 'Unauthorized' });
  });

  test('who left a group elsewhere meanwhile hears no more of it when Redis is back, and who was added does', async () => {
    const [alice, bob, carol] = [await careful(there), await careful(there), await careful(there)];
    const groupId = await newCircle(there, [alice, bob]);
    await redis.kill();
    await Promise.all([isDegraded(here), isDegraded(there)]);
    await leave({ ...bob, socket: await connect(here, bob) }, groupId);
    await (await connect(here, alice)).ask('addUserInGroup', {
      groupId,
      userId: carol.id,
      messageId: crypto.randomUUID(),
      message: 'added',
    });
    await redis.launch();
    for (const { socket } of [alice, bob, carol]) await socket.broadcast('catchUp');
    await Promise.all([isReady(here), isReady(there)]);
    await writeToGroup(alice, groupId, 'Only us');
    expect(await carol.socket.broadcast('messageInGroup')).toMatchObject({ message: 'Only us' });
    expect(await heard(bob, 'messageInGroup')).toEqual([]);
  });

  test('a server starts without it, and joins the others when it comes', async () => {
    await redis.kill();
    const late = await startServer({ REDIS_URL: redis.url }, here.databaseUrl);
    try {
      await isDegraded(late);
      const [alice, bob] = [await newPerson(late), await newPerson(here)];
      await redis.launch();
      await Promise.all([isReady(late), isReady(here)]);
      await write(alice, bob, 'Hello');
      expect(await bob.socket.broadcast('privateMessage')).toMatchObject({ message: 'Hello' });
    } finally {
      await late.app.stop();
    }
  });
});
