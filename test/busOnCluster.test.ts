import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../src/lib/logger.ts';
import { Metrics } from '../src/metrics.ts';
import { RedisBus } from '../src/realtime/redisBus.ts';
import { HELLO, Listener, newTopic } from './support/busListener.ts';
import { eventually } from './support/eventually.ts';
import { newLogFile } from './support/logs.ts';
import { isRedisInstalled, RedisCluster, type RedisServer } from './support/redis.ts';

/** How long the bus waits for an answer of Redis, in milliseconds. */
const PATIENCE = 1_000;

describe.skipIf(!isRedisInstalled)('a bus through a Redis Cluster of three nodes', () => {
  let cluster: RedisCluster;
  let open: Listener[] = [];

  beforeAll(async () => {
    cluster = await RedisCluster.start();
  });
  afterEach(async () => {
    for (const node of cluster.nodes) node.thaw();
    await Promise.all(open.map(({ bus }) => bus.close()));
    open = [];
  });
  afterAll(() => cluster.stop());

  function newListener(): Listener {
    const logger = createLogger('trace', newLogFile());
    const listener = new Listener(new RedisBus({ url: cluster.nodes[0].url, isCluster: true }, new Metrics(), logger));
    open.push(listener);
    return listener;
  }
  async function listen(): Promise<Listener> {
    const listener = newListener();
    await listener.bus.start(listener);
    return listener;
  }
  /** A topic that the node has. */
  async function topicOf(node: RedisServer): Promise<string> {
    const topic = newTopic();
    return (await node.has(topic)) ? topic : topicOf(node);
  }
  const isDown = ({ bus }: Listener) => eventually(() => expect(bus.failure).toEqual(expect.any(String)));
  const isUp = ({ bus }: Listener) => eventually(() => expect(bus.failure).toBeUndefined());

  test.each([0, 1, 2] as const)('that node %i has gone silent is noticed within seconds, and told when it answers again', async (index) => {
    const node = cluster.nodes[index];
    const [one, other] = [await listen(), await listen()];
    const topic = await topicOf(node);
    await other.bus.subscribe(topic);
    node.freeze();
    await Promise.all([isDown(one), isDown(other)]);
    expect([one.losses, other.losses]).toEqual([0, 0]);
    node.thaw();
    await Promise.all([isUp(one), isUp(other)]);
    expect(Math.min(one.losses, other.losses)).toBeGreaterThan(0);
    await other.hearsAgain(topic, one);
  });

  test('while one is silent everything arrives through the others, and what goes through it is given up within seconds', async () => {
    const [silent, second, third] = cluster.nodes;
    const [lost, ...topics] = await Promise.all([topicOf(silent), topicOf(second), topicOf(third)]);
    const [one, other] = [await listen(), await listen()];
    await Promise.all([lost, ...topics].map((topic) => other.bus.subscribe(topic)));
    const texts: string[] = [];
    /** On a machine that stands still what goes through the others may be lost as well: nobody takes it then, or nobody can say, which is told. */
    const gaps = new Map(topics.map((topic) => [topic, new Set<string>()]));
    const unsure = new Set<string>();
    const publish = () => {
      const text = `${texts.length}`;
      texts.push(text);
      for (const topic of topics) {
        void one.bus.publish(topic, HELLO, text).then((count) => {
          if (count !== 1) gaps.get(topic)?.add(text);
          if (count === undefined) unsure.add(topic);
        });
      }
      return one.bus.publish(lost, HELLO, text);
    };
    const wanted = (topic: string) => texts.filter((text) => !gaps.get(topic)?.has(text));
    const othersArrive = () => eventually(() => expect(topics.map((topic) => other.texts(topic))).toEqual(topics.map(wanted)));
    const gapCount = () => [...gaps.values()].reduce((sum, { size }) => sum + size, 0);
    silent.freeze();
    let roundsMeanwhile = 0;
    // Long enough for everything that is tried meanwhile to reach the silent node.
    for (let times = 0; times < 3; times++) {
      let isGivenUp = false;
      const published = publish().finally(() => {
        isGivenUp = true;
      });
      while (!isGivenUp) {
        const gapsBefore = gapCount();
        void publish();
        await othersArrive();
        const late = await topicOf(second);
        const asked = performance.now();
        await other.bus.subscribe(late);
        const count = await one.bus.publish(late, HELLO);
        const isAnswered = performance.now() - asked < PATIENCE;
        if (isAnswered) expect(count).toBe(1);
        if (isAnswered && !isGivenUp && gapCount() === gapsBefore) roundsMeanwhile++;
      }
      // It is silent still.
      expect(await published).toBeUndefined();
    }
    expect(roundsMeanwhile).toBeGreaterThan(0);
    await isDown(one);
    silent.thaw();
    await Promise.all([isUp(one), isUp(other)]);
    expect(other.losses).toBeGreaterThan(0);
    const losses = [...unsure].map((topic) => ({ topic, message: { kind: 'loss' }, text: '' }));
    await eventually(() => expect(other.received).toEqual(expect.arrayContaining(losses)));
    await other.hearsAgain(lost, one);
    const numbers = other.texts(lost).map(Number).filter(Number.isInteger);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  test('what waits for a silent node leaves room for what goes to the others', async () => {
    const [silent, healthy] = cluster.nodes;
    const [lost, topic] = [await topicOf(silent), await topicOf(healthy)];
    const [one, other] = [await listen(), await listen()];
    await other.bus.subscribe(topic);
    silent.freeze();
    const long = 'x'.repeat(1024 * 1024);
    for (let count = 0; count < 20; count++) void one.bus.publish(lost, HELLO, long);
    expect(await one.bus.publish(topic, HELLO, long)).toBe(1);
    await eventually(() => expect(other.texts(topic)).toHaveLength(1));
  });

  test('who begins while one is silent hears the others, and that one too when it answers again', async () => {
    // It finds the others through the node that it was given.
    const [first, silent, last] = cluster.nodes;
    const topics = await Promise.all([topicOf(silent), topicOf(first), topicOf(last)]);
    const one = await listen();
    silent.freeze();
    const late = newListener();
    // More than are subscribed to in one step.
    for (const topic of [...Array.from({ length: 1_500 }, newTopic), ...topics]) void late.bus.subscribe(topic);
    await late.bus.start(late);
    expect(late.bus.failure).toEqual(expect.any(String));
    for (const topic of topics.slice(1)) {
      await eventually(async () => expect(await one.bus.publish(topic, HELLO, 'heard')).toBe(1));
      await eventually(() => expect(late.texts(topic)).toContain('heard'));
    }
    silent.thaw();
    await Promise.all([isUp(one), isUp(late)]);
    expect(late.losses).toBeGreaterThan(0);
    for (const topic of topics) await late.hearsAgain(topic, one);
  });

  test('when another node has taken over what a silent one had, everything is heard again', async () => {
    const [first, heir, silent] = cluster.nodes;
    const topics = await Promise.all(cluster.nodes.map(topicOf));
    const [one, other] = [await listen(), await listen()];
    for (const topic of topics) await other.bus.subscribe(topic);
    silent.freeze();
    await Promise.all([isDown(one), isDown(other)]);
    await silent.bequeath(heir, first);
    await Promise.all([isUp(one), isUp(other)]);
    expect(other.losses).toBeGreaterThan(0);
    for (const topic of topics) await other.hearsAgain(topic, one);
  });
});
