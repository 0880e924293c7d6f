import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createLogger } from '../src/lib/logger.ts';
import { Metrics } from '../src/metrics.ts';
import { MemoryBus } from '../src/realtime/memoryBus.ts';
import { RedisBus } from '../src/realtime/redisBus.ts';
import { HELLO, Listener, newTopic } from './support/busListener.ts';
import { eventually } from './support/eventually.ts';
import { newLogFile } from './support/logs.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';

/** Whether it is done before a timer ends that begins now: a machine that stands still holds up both. */
const isInTime = (milliseconds: number, done: Promise<unknown>): Promise<boolean> =>
  Promise.race([done.then(() => true), delay(milliseconds, false)]);

describe.each([
  { kind: 'in memory', needsRedis: false, cluster: false },
  { kind: 'through Redis', needsRedis: true, cluster: false },
  { kind: 'through a Redis Cluster', needsRedis: true, cluster: true },
])('a bus $kind', ({ needsRedis, cluster }) => {
  const skip = needsRedis && !isRedisInstalled;
  let redis: RedisServer | undefined;
  let open: Listener[] = [];

  beforeAll(async () => {
    if (needsRedis && !skip) redis = await RedisServer.start({ cluster });
  });
  afterEach(async () => {
    await Promise.all(open.map(({ bus }) => bus.close()));
    open = [];
  });
  afterAll(() => redis?.stop());

  async function listen(): Promise<Listener> {
    const logger = createLogger('trace', newLogFile());
    const bus = redis ? new RedisBus({ url: redis.url, isCluster: cluster }, new Metrics(), logger) : new MemoryBus();
    const listener = new Listener(bus);
    open.push(listener);
    await bus.start(listener);
    return listener;
  }

  describe.skipIf(skip)('within one process', () => {
    test('gives what is published to the process itself before publish returns, once', async () => {
      const topic = newTopic();
      const one = await listen();
      await one.bus.subscribe(topic);
      void one.bus.publish(topic, { kind: 'left', groupId: 'g', seq: 7 }, 'text');
      expect(one.received).toEqual([{ topic, message: { kind: 'left', groupId: 'g', seq: 7 }, text: 'text' }]);
      const last = newTopic();
      await one.bus.subscribe(last);
      void one.bus.publish(last, HELLO);
      await one.hears(last, ['']);
      expect(one.received).toHaveLength(2);
    });

    test('gives nothing of a topic that is not subscribed to, or not any more', async () => {
      const [topic, other] = [newTopic(), newTopic()];
      const one = await listen();
      await one.bus.subscribe(topic);
      void one.bus.publish(other, HELLO, 'not this');
      one.bus.unsubscribe(topic);
      void one.bus.publish(topic, HELLO, 'nor this');
      expect(one.received).toEqual([]);
    });

    test('has no failure while it works', async () => {
      expect((await listen()).bus.failure).toBeUndefined();
    });
  });

  describe.skipIf(skip || !needsRedis)('between two processes', () => {
    test('gives everything to each that subscribed, once, in the order in which it was published', async () => {
      const topic = newTopic();
      const [one, other] = [await listen(), await listen()];
      await Promise.all([one.bus.subscribe(topic), other.bus.subscribe(topic)]);
      const texts = Array.from({ length: 1_000 }, (_, index) => `${index} "é" \\ 👋`);
      for (const text of texts) void one.bus.publish(topic, { kind: 'broadcast', exceptUserIds: ['a'] }, text);
      await other.hears(topic, texts);
      await one.hears(topic, texts);
      expect(other.received[0]?.message).toEqual({ kind: 'broadcast', exceptUserIds: ['a'] });
    });

    test('gives what is published from the moment on in which subscribe has resolved', async () => {
      const [one, other] = [await listen(), await listen()];
      for (let count = 0; count < 100; count++) {
        const topic = newTopic();
        await other.bus.subscribe(topic);
        void one.bus.publish(topic, HELLO, 'now');
        await other.hears(topic, ['now']);
      }
    });

    test('follows whoever subscribes and unsubscribes without waiting: the last word counts', async () => {
      const [topic, quiet] = [newTopic(), newTopic()];
      const [one, other] = [await listen(), await listen()];
      for (let count = 0; count < 10; count++) {
        void other.bus.subscribe(topic);
        other.bus.unsubscribe(topic);
        void other.bus.subscribe(quiet);
        other.bus.unsubscribe(quiet);
      }
      await other.bus.subscribe(topic);
      void one.bus.publish(quiet, HELLO, 'not this');
      void one.bus.publish(topic, HELLO, 'this');
      await other.hears(topic, ['this']);
      expect(other.texts(quiet)).toEqual([]);
    });

    test('says that messages may be lost when it is back, to both, and works again with all that was subscribed meanwhile', async () => {
      const [before, meanwhile, gone] = [newTopic(), newTopic(), newTopic()];
      const [one, other] = [await listen(), await listen()];
      await Promise.all([other.bus.subscribe(before), other.bus.subscribe(gone)]);
      await redis?.kill();
      await eventually(() => expect(other.bus.failure).toEqual(expect.any(String)));
      expect(await isInTime(2_000, other.bus.subscribe(meanwhile))).toBe(true);
      other.bus.unsubscribe(gone);
      void one.bus.publish(before, HELLO, 'lost');
      expect([one.losses, other.losses]).toEqual([0, 0]);
      await redis?.launch();
      await eventually(() => expect([one.bus.failure, other.bus.failure]).toEqual([undefined, undefined]));
      await eventually(() => expect(Math.min(one.losses, other.losses)).toBeGreaterThan(0));
      void one.bus.publish(gone, HELLO, 'again');
      for (const topic of [before, meanwhile]) await other.hearsAgain(topic, one);
      expect(other.texts(gone)).toEqual([]);
    });

    test('a Redis that has gone silent is given up within seconds, and used again when it answers', async () => {
      const topic = newTopic();
      const [one, other] = [await listen(), await listen()];
      await other.bus.subscribe(topic);
      redis?.freeze();
      try {
        await eventually(() => expect([one.bus.failure, other.bus.failure]).not.toContain(undefined));
      } finally {
        redis?.thaw();
      }
      await eventually(() => expect([one.bus.failure, other.bus.failure]).toEqual([undefined, undefined]));
      expect(other.losses).toBeGreaterThan(0);
      await other.hearsAgain(topic, one);
    });

    test('a lost connection for subscriptions alone is noticed too', async () => {
      const topic = newTopic();
      const [one, other] = [await listen(), await listen()];
      await other.bus.subscribe(topic);
      await redis?.ask('CLIENT KILL TYPE pubsub');
      await eventually(() => expect(other.losses).toBeGreaterThan(0));
      await other.hearsAgain(topic, one);
    });

    test('nothing arrives twice or in another order, however often the connections for publishing break', async () => {
      const topic = newTopic();
      const [one, other] = [await listen(), await listen()];
      await other.bus.subscribe(topic);
      for (let count = 0; count < 400; count++) {
        void one.bus.publish(topic, HELLO, `${count}`);
        if (count % 50 === 25) await redis?.ask('CLIENT KILL TYPE normal');
        if (count % 10 === 0) await new Promise(setImmediate);
      }
      await eventually(() => expect(other.received.some(({ message }) => message.kind === 'loss')).toBe(true));
      const numbers = other.texts(topic).map(Number);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    });

    test('who subscribed while Redis was too slow waited once, and is told that messages may be lost', async () => {
      const [one] = [await listen(), await listen()];
      redis?.freeze();
      try {
        await one.bus.subscribe(newTopic());
        const many = async () => {
          for (let count = 0; count < 20; count++) await one.bus.subscribe(newTopic());
        };
        expect(await isInTime(2_000, many())).toBe(true);
      } finally {
        redis?.thaw();
      }
      await eventually(() => expect(one.losses).toBeGreaterThan(0));
    });

    test('who began without Redis is told that messages may be lost when it comes', async () => {
      await redis?.kill();
      const late = await listen();
      expect(late.bus.failure).toEqual(expect.any(String));
      await redis?.launch();
      await eventually(() => expect(late.losses).toBeGreaterThan(0));
      expect(late.bus.failure).toBeUndefined();
    });

    test('what is unsubscribed while everything is subscribed to again stays so', async () => {
      const topics = Array.from({ length: 5_000 }, newTopic);
      const [first, last] = [topics[0] ?? '', topics.at(-1) ?? ''];
      const one = await listen();
      await Promise.all(topics.map((topic) => one.bus.subscribe(topic)));
      await redis?.ask('CLIENT KILL TYPE pubsub');
      await vi.waitFor(() => expect(one.bus.failure).toEqual(expect.any(String)), { timeout: 20_000, interval: 1 });
      await vi.waitFor(async () => expect(await redis?.subscribersOf(first)).toBe(1), { timeout: 20_000, interval: 1 });
      one.bus.unsubscribe(last);
      await eventually(() => expect(one.bus.failure).toBeUndefined());
      expect(await redis?.subscribersOf(last)).toBe(0);
    });

    test('with very many topics it is back as well', async () => {
      const topics = Array.from({ length: 30_000 }, newTopic);
      const [one, other] = [await listen(), await listen()];
      await Promise.all(topics.map((topic) => other.bus.subscribe(topic)));
      await redis?.restart();
      await vi.waitFor(() => expect(Math.min(one.losses, other.losses)).toBeGreaterThan(0), { timeout: 30_000 });
      await eventually(() => expect([one.bus.failure, other.bus.failure]).toEqual([undefined, undefined]));
      await other.hearsAgain(topics.at(-1) ?? '', one);
    });
  });
});
