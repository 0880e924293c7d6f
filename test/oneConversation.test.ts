import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { query } from './support/database.ts';
import { newCircle, newPerson } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect, type Socket } from './support/socket.ts';

/** Messages a second of both servers together, and for how many seconds. */
const RATE = 1_000;
const SECONDS = 3;
/** How often some are sent, in milliseconds. */
const INTERVAL = 10;

interface Row extends Record<string, unknown> {
  id: string;
  seq: number;
  rev: number;
  createdAt: Date;
}

describe.skipIf(!isRedisInstalled)('Two servers that write into one conversation at 1,000 messages a second', () => {
  let redis: RedisServer;
  let servers: [TestServer, TestServer];

  beforeAll(async () => {
    redis = await RedisServer.start();
    const here = await startServer({ REDIS_URL: redis.url, LOG_LEVEL: 'warn' });
    servers = [here, await startServer({ REDIS_URL: redis.url, LOG_LEVEL: 'warn' }, here.databaseUrl)];
  });
  afterAll(async () => {
    await Promise.all((servers ?? []).map(({ app }) => app.stop()));
    await redis?.stop();
  });

  /** Sends at half of the rate over one connection; returns the ids in the order in which they were sent. */
  async function write(socket: Socket, groupId: string): Promise<string[]> {
    const ids: string[] = [];
    const begun = performance.now();
    while (ids.length < (RATE / 2) * SECONDS) {
      const due = ((performance.now() - begun) / 1000) * (RATE / 2);
      while (ids.length < Math.min(due, (RATE / 2) * SECONDS)) {
        const messageId = randomUUID();
        ids.push(messageId);
        socket.send({ type: 'messageInGroup', params: { messageId, groupId, content: `${ids.length}` } });
      }
      await delay(INTERVAL);
    }
    return ids;
  }

  test('number them without gaps, each time later than the one before, and every member hears each once, or is told to ask for what was lost', async () => {
    const [here, there] = servers;
    const [ann, bob, eve] = [await newPerson(here), await newPerson(there), await newPerson(here)];
    const groupId = await newCircle(here, [ann, bob, eve]);
    const listeners = [eve.socket, await connect(there, eve)];
    for (const socket of listeners) await socket.ask('subscribe', { events: ['catchUp'] });
    const sent = await Promise.all([write(ann.socket, groupId), write(bob.socket, groupId)]);
    const heard = (socket: Socket) => socket.broadcasts.filter(({ type }) => type === 'messageInGroup').map(({ params }) => params.item);
    // On a machine on which Redis stands still for seconds the bus may lose some.
    const wasTold = (socket: Socket) => socket.broadcasts.some(({ type }) => type === 'catchUp');
    const hasHeard = (socket: Socket) => wasTold(socket) || heard(socket).length === RATE * SECONDS;
    await vi.waitFor(() => expect(listeners.map(hasHeard)).toEqual(listeners.map(() => true)), { timeout: 30_000, interval: 100 });
    const rows = await query<Row>(
      here.databaseUrl,
      'SELECT id, seq::int AS seq, rev::int AS rev, created_at AS "createdAt" FROM messages WHERE conversation_id = $1 ORDER BY seq',
      [groupId],
    );
    const numbers = rows.map((_row, index) => index + 1);
    expect(rows.map(({ seq }) => seq)).toEqual(numbers);
    expect(rows.map(({ rev }) => rev)).toEqual(numbers);
    expect(rows.filter(({ createdAt }, index) => createdAt <= (rows[index - 1]?.createdAt ?? 0))).toEqual([]);
    const position = new Map(rows.map(({ id, seq }) => [id, seq]));
    for (const ids of sent) {
      const positions = ids.map((id) => position.get(id) ?? 0);
      expect(positions).toEqual(positions.toSorted((one, other) => one - other));
      expect(positions).not.toContain(0);
    }
    const all = new Set(sent.flat().map((id) => `${position.get(id)} ${id}`));
    for (const socket of listeners) {
      const items = heard(socket).map((item) => `${item?.seq} ${item?.messageId}`);
      expect(items.filter((item) => !all.has(item))).toEqual([]);
      expect(new Set(items).size).toBe(items.length);
      if (!wasTold(socket)) expect(items).toHaveLength(all.size);
    }
  });
});
