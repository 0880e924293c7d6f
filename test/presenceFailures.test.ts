import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { statusTopic } from '../src/realtime/topics.ts';
import { openProxy } from './support/databaseProxy.ts';
import { eventually } from './support/eventually.ts';
import { readLog } from './support/logs.ts';
import { A_TIME, heard, newCircle, newPerson, type Person, remove, write } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { JWT_SECRET, startServer, type TestServer } from './support/server.ts';
import { newDirectory, startProcess, sweep } from './support/serverProcess.ts';
import { connect } from './support/socket.ts';

const ONLINE = (userId: string, lastSeenAt: unknown = null) => ({ userId, status: 'online', lastSeenAt });
const OFFLINE = (userId: string) => ({ userId, status: 'offline', lastSeenAt: A_TIME });

afterAll(sweep);

describe.skipIf(!isRedisInstalled)('presence when something fails', () => {
  let redis: RedisServer;
  let here: TestServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
    here = await startServer({ REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await here.app.stop();
    await redis.stop();
  });

  /** Two who have written to one another, the first of whom watches the second. */
  async function watcher(): Promise<[Person, Person]> {
    const [alice, bob] = [await newPerson(here), await newPerson(here)];
    await write(alice, bob, 'Hello');
    await alice.socket.ask('subscribe', { events: ['userStatus', 'catchUp'] });
    expect(await watch(alice, bob)).toEqual([ONLINE(bob.id)]);
    return [alice, bob];
  }
  const watch = ({ socket }: Person, ...people: { id: string }[]) => socket.rows('watchPresence', { userIds: people.map(({ id }) => id) });
  const statusesOf = ({ socket }: Person) => socket.broadcasts.filter(({ type }) => type === 'userStatus').map(({ params }) => params.item);
  const until = (person: Person, statuses: unknown[]) => eventually(() => expect(statusesOf(person)).toEqual(statuses));
  const refusals = async () => (await readLog(here)).filter(({ msg }) => msg === 'a change of presence was not stored').length;

  test('the users of a killed process go offline within 45 s, and others are told to catch up', async () => {
    const there = await startProcess(await newDirectory(), { DATABASE_URL: here.databaseUrl, REDIS_URL: redis.url, JWT_SECRET });
    const [alice, bob, carol] = [await newPerson(here), await newPerson(here), await newPerson(here)];
    for (const friend of [bob, carol]) await write(alice, friend, 'Hello');
    await bob.socket.close();
    const onDoomed = await connect(there, bob);
    onDoomed.socket.on('error', () => {});
    await alice.socket.ask('subscribe', { events: ['userStatus'] });
    await carol.socket.ask('subscribe', { events: ['catchUp'] });
    await eventually(async () => {
      const rows = await watch(alice, bob, carol);
      expect(rows.map(({ status }) => status)).toEqual(['online', 'online']);
    });
    const before = alice.socket.broadcasts.length;
    const killedAt = Date.now();
    await there.kill();
    await vi.waitFor(() => expect(alice.socket.broadcasts.slice(before)).toHaveLength(1), { timeout: 45_000, interval: 100 });
    const item = alice.socket.broadcasts.at(-1)?.params.item;
    expect(item).toEqual(OFFLINE(bob.id));
    expect(Math.abs(Date.parse(String(item?.lastSeenAt)) - killedAt)).toBeLessThan(15_000);
    await carol.socket.broadcast('catchUp');
    expect(Date.now() - killedAt).toBeLessThan(45_000);
  });

  test('a Redis that comes back empty knows again who is online, and nobody is told otherwise', async () => {
    const [alice, bob] = await watcher();
    await redis.kill();
    expect(await watch(alice, bob)).toEqual([ONLINE(bob.id)]);
    await redis.launch();
    await alice.socket.broadcast('catchUp');
    await eventually(async () => expect(await redis.ask(`HLEN messenger:presence:${bob.id}`)).toContain(':1'));
    expect(await watch(alice, bob)).toEqual([ONLINE(bob.id)]);
    expect(statusesOf(alice)).toEqual([]);
  });

  test('nobody is told within 10 s after messages were lost that others went offline', async () => {
    const [alice, bob] = await watcher();
    await redis.kill();
    const launchedAt = performance.now();
    await redis.launch();
    await alice.socket.broadcast('catchUp');
    await bob.socket.close();
    await until(alice, [OFFLINE(bob.id)]);
    expect(performance.now() - launchedAt).toBeGreaterThan(10_000);
  });

  test.each([
    ['for want of memory', () => redis.ask('CONFIG SET maxmemory 1'), () => redis.ask('CONFIG SET maxmemory 0')],
    ['half way', (key: string) => redis.ask(`SET ${key} no-hash`), (key: string) => redis.ask(`DEL ${key}`)],
  ])('a change that Redis refused %s is stored later', async (_when, fail, mend) => {
    const [alice, bob] = await watcher();
    await bob.socket.close();
    await until(alice, [OFFLINE(bob.id)]);
    const key = `messenger:presence:${bob.id}`;
    const before = await refusals();
    await fail(key);
    await connect(here, bob);
    await eventually(async () => expect(await refusals()).toBeGreaterThan(before));
    await mend(key);
    await until(alice, [OFFLINE(bob.id), expect.objectContaining({ userId: bob.id, status: 'online' })]);
  });

  test('a change that could not be read is told when it can', async () => {
    const [alice, bob] = await watcher();
    const key = `messenger:presence:${bob.id}`;
    const failures = async () => (await readLog(here)).filter(({ msg }) => msg === 'presence could not be read').length;
    const before = await failures();
    await redis.ask(`SET ${key} no-hash`);
    await redis.publish(statusTopic(bob.id), { kind: 'status', userId: bob.id });
    await eventually(async () => expect(await failures()).toBeGreaterThan(before));
    await redis.ask(`DEL ${key}`);
    await until(alice, [{ userId: bob.id, status: 'offline', lastSeenAt: null }]);
  });

  test('a process that others took for dead is alive again, and its users online', async () => {
    const [alice, bob] = await watcher();
    const there = await startServer({ REDIS_URL: redis.url }, here.databaseUrl);
    const elsewhere = { ...alice, socket: await connect(there, alice) };
    const [, processId = ''] = /[\r\n]([\da-f-]{36})/.exec(await redis.ask(`HKEYS messenger:presence:${bob.id}`)) ?? [];
    await eventually(async () => {
      await redis.ask(`ZADD messenger:processes 1 ${processId}`);
      expect(await watch(elsewhere, bob)).toEqual([OFFLINE(bob.id)]);
    });
    await eventually(async () => expect(await redis.ask(`HGET messenger:presence:${bob.id} ${processId}`)).toContain('$-1'));
    await eventually(async () => expect(await watch(elsewhere, bob)).toEqual([ONLINE(bob.id, A_TIME)]));
    await there.app.stop();
  });

  test.each(['is silent', 'refuses connections'])(
    'while the database %s nobody is told anything, and afterwards who shares a chat still',
    async (how) => {
      const proxy = await openProxy(here.databaseUrl);
      const there = await startServer({ REDIS_URL: redis.url }, proxy.url);
      const [owner, bob, alice, friend] = [await newPerson(here), await newPerson(here), await newPerson(there), await newPerson(there)];
      const groupId = await newCircle(here, [owner, alice, bob]);
      await write(friend, bob, 'Hello');
      for (const person of [alice, friend]) {
        await person.socket.ask('subscribe', { events: ['userStatus'] });
        await eventually(async () => expect(await watch(person, bob)).toEqual([ONLINE(bob.id)]));
      }
      if (how === 'is silent') proxy.freeze();
      else await proxy.refuse();
      await remove(owner, groupId, alice);
      await bob.socket.close();
      const isUntold = async () => expect((await readLog(there)).map(({ msg }) => msg)).toContain('changes of presence could not be told');
      await eventually(isUntold);
      for (const { socket } of [alice, friend]) expect(socket.broadcasts.filter(({ type }) => type === 'userStatus')).toEqual([]);
      if (how === 'is silent') proxy.thaw();
      else await proxy.accept();
      await until(friend, [OFFLINE(bob.id)]);
      expect(await heard(alice, 'userStatus')).toEqual([]);
      await there.app.stop();
      await proxy.close();
    },
  );
});
