import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RedisPresenceStore } from '../src/features/presence/redisPresenceStore.ts';
import { eventually } from './support/eventually.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';

const PROCESSES = 'messenger:processes';
const KEY = 'messenger:presence:ann';
const MINUTE = 60_000;

describe.skipIf(!isRedisInstalled)('the store of presence on Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  let one: RedisPresenceStore;
  let other: RedisPresenceStore;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
  });
  beforeEach(async () => {
    await redis.flushall();
    one = new RedisPresenceStore(redis, 'one');
    other = new RedisPresenceStore(redis, 'other');
    await one.renew();
    await other.renew();
    await other.deaths();
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  /** The first process last said so many seconds ago that it lives. Resolves with when that was, in milliseconds. */
  async function age(seconds: number): Promise<number> {
    const [now] = await redis.time();
    await redis.zadd(PROCESSES, Number(now) - seconds, 'one');
    return (Number(now) - seconds) * 1000;
  }
  /** How it is with the user, as a process says that has not looked before. */
  const read = async () => (await new RedisPresenceStore(redis, 'newcomer').read(['ann']))[0];

  test('tells of a death once, also when somebody reads of it before', async () => {
    await one.enter('ann');
    await new RedisPresenceStore(redis, 'newcomer').enter('bob');
    await age(21);
    expect(await other.read(['bob', 'ann'])).toMatchObject([{ status: 'offline' }, { status: 'offline' }]);
    expect([await other.deaths(), await other.deaths()]).toEqual([true, false]);
  });

  test('does not take for dead who was closed', async () => {
    await one.close();
    expect(await other.deaths()).toBe(false);
  });

  test('tells a process when it comes late, or is not known any more', async () => {
    expect(await one.renew()).toBe(false);
    await age(11);
    expect([await one.renew(), await one.renew()]).toEqual([true, false]);
    await redis.flushall();
    expect(await one.renew()).toBe(true);
  });

  test('says of a user of a dead process when that died, also when the process is forgotten', async () => {
    await redis.hset(KEY, 'one', Date.now() - 60 * MINUTE);
    const lastSeenAt = new Date(await age(21));
    expect(await read()).toEqual({ status: 'offline', lastSeenAt });
    await eventually(async () => expect(await redis.hkeys(KEY)).toEqual(['lastSeenAt']));
    await redis.zrem(PROCESSES, 'one');
    expect(await read()).toEqual({ status: 'offline', lastSeenAt });
  });

  test('removes a dead process of a user who is online elsewhere', async () => {
    await one.enter('ann');
    await other.enter('ann');
    await age(21);
    expect(await read()).toMatchObject({ status: 'online' });
    await eventually(async () => expect((await redis.hkeys(KEY)).toSorted()).toEqual(['lastSeenAt', 'other']));
  });

  test('never moves backwards when a user was last seen', async () => {
    const lastSeenAt = new Date(Date.now() + MINUTE);
    await redis.hset(KEY, 'lastSeenAt', lastSeenAt.getTime(), 'one', Date.now());
    await one.leave('ann');
    expect(await read()).toEqual({ status: 'offline', lastSeenAt });
  });

  test('keeps nothing for ever', async () => {
    const ends = async () => Promise.all((await redis.keys('*')).map((key) => redis.ttl(key)));
    await one.enter('ann');
    await other.enter('ann');
    expect(Math.min(...(await ends()))).toBeGreaterThan(0);
    await one.leave('ann');
    // Somebody may stay connected for longer than it is remembered when others left.
    expect(await redis.ttl(KEY)).toBeGreaterThan(300 * 86_400);
    await other.leave('ann');
    expect(await redis.ttl(KEY)).toBeLessThan(31 * 86_400);
    expect(Math.min(...(await ends()))).toBeGreaterThan(0);
  });

  test('looks again before it takes a process for dead', async () => {
    await age(21);
    await other.deaths();
    await one.renew();
    await one.enter('ann');
    expect(await other.read(['ann'])).toEqual([{ status: 'online', lastSeenAt: null }]);
    expect(await redis.hkeys(KEY)).toEqual(['one']);
  });

  test('keeps who enters a process that lives again, whoever has read of its death', async () => {
    for (let round = 0; round < 300; round++) {
      await one.enter('ann');
      await age(21);
      const reading = read();
      for (let turn = 0; turn < round % 4; turn++) await redis.ping();
      await one.renew();
      await one.enter('ann');
      await reading;
      expect(await read()).toMatchObject({ status: 'online' });
    }
  });
});
