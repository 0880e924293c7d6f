import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { holdLock } from './support/lock.ts';
import { METRICS_TOKEN, scrape } from './support/metrics.ts';
import { NEWEST, newPerson, write } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

/** 40,000 bytes: the most that a message may have. */
const LARGEST = '😀'.repeat(10_000);

const TOO_SLOW = { code: 1013, reason: 'Read too slowly, reconnect and catch up' };

describe('A client', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  test('who reads stays connected, however much is stored, and so sent, at once', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'Hello');
    const lock = await holdLock(server.databaseUrl, 'LOCK TABLE conversations IN EXCLUSIVE MODE');
    const sends = Array.from({ length: 130 }, () => write(ann, bob, LARGEST));
    // The server has them all: the first waits for the lock, and all others for the first.
    await ann.socket.settle();
    await lock.awaited(1);
    await lock.release();
    await Promise.all(sends);
    const closed = bob.socket.closed();
    await Promise.race([closed, bob.socket.until(() => bob.socket.broadcasts.length > sends.length)]);
    expect(bob.socket.broadcasts).toHaveLength(1 + sends.length);
  });

  test('who does not read is closed with 1013 when too much waits, and the others go on', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const closed = bob.socket.closed();
    bob.socket.socket.pause();
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 50 }, () => write(ann, bob, LARGEST)));
    bob.socket.socket.resume();
    expect(await closed).toEqual(TOO_SLOW);
  });

  test('who does not read its answers for two pings is closed with 1013, after all that was written to it before', async () => {
    const server = await startServer({ PING_INTERVAL: '1s', METRICS_TOKEN });
    const dropped = async () => (await scrape(server)).messenger_slow_readers_dropped_total;
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await Promise.all(Array.from({ length: 100 }, () => write(ann, bob, LARGEST)));
    const closed = bob.socket.closed();
    bob.socket.socket.pause();
    // One page is less than may be unread, and more than the system takes from the server.
    bob.socket.send({ type: 'getlatestMessageDialog', params: { receiverId: ann.id, ...NEWEST } });
    await eventually(async () => expect(await dropped()).toBe(1));
    bob.socket.socket.resume();
    expect(await closed).toEqual(TOO_SLOW);
    expect(bob.socket.frames.at(-1)).toMatchObject({ type: 'getlatestMessageDialog', success: true });
    await server.app.stop();
  });
});
