import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MEMORY_PROBE, TargetProcess } from '../bench/target.ts';
import { newDatabase } from './support/database.ts';
import { newUser } from './support/http.ts';
import { holdLock } from './support/lock.ts';
import { heard, newPerson, write } from './support/people.ts';
import { MAIN, newDirectory, sweep } from './support/serverProcess.ts';
import { connect, type Socket } from './support/socket.ts';

const MEBIBYTE = 1024 * 1024;
/** 40,000 bytes: the most that a message may have. */
const LARGEST = '😀'.repeat(10_000);
/** What the server may hold more than before, whatever clients do. */
const FLAT = 16 * MEBIBYTE;

describe('The memory of the server stays flat', () => {
  let databaseUrl: string;
  let target: TargetProcess;
  let server: { url: string };
  beforeAll(async () => {
    databaseUrl = await newDatabase();
    const { PATH = '' } = process.env;
    const limits = { RATE_LIMITS: 'off', BCRYPT_ROUNDS: '4', LOG_LEVEL: 'warn' };
    const place = { PATH, HOST: '127.0.0.1', PORT: '0', DATABASE_URL: databaseUrl, DATA_DIR: await newDirectory() };
    target = new TargetProcess([...MEMORY_PROBE, MAIN], { ...place, ...limits });
    server = { url: await target.url };
  });
  afterAll(async () => {
    await target.stop();
    await sweep();
  });

  async function held(): Promise<number> {
    const { heapUsed, external } = await target.collectedMemory();
    return heapUsed + external;
  }

  /** The most that the server held until nothing more was taken from the client, and what was left there then, in bytes. */
  async function heldUntilStill({ socket }: Socket): Promise<{ most: number; left: number }> {
    let most = 0;
    for (let left = Number.NaN; ; ) {
      most = Math.max(most, await held());
      if (socket.bufferedAmount === left) return { most, left };
      left = socket.bufferedAmount;
    }
  }

  test('while it writes to many who do not read: they are closed, and who reads receives everything', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const slow = await Promise.all(Array.from({ length: 10 }, () => connect(server, bob)));
    for (const { socket } of slow) socket.pause();
    const before = await held();
    let most = 0;
    const [rounds, each] = [10, 50];
    for (let round = 0; round < rounds; round++) {
      await Promise.all(Array.from({ length: each }, () => write(ann, bob, LARGEST)));
      most = Math.max(most, await held());
      await bob.socket.until(() => bob.socket.broadcasts.length === (round + 1) * each);
    }
    expect(most - before).toBeLessThan(FLAT);
    const ends = slow.map((client) => client.closed());
    for (const { socket } of slow) socket.resume();
    // The close frame comes last, and the server does not wait for long until it is read.
    for (const { code } of await Promise.all(ends)) expect([1013, 1006]).toContain(code);
    await Promise.all([ann.socket.close(), bob.socket.close()]);
  });

  test('while a client sends faster than it is served: the rest waits on its side, and all is answered, and done in order, in the end', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'first');
    const lock = await holdLock(databaseUrl, 'LOCK TABLE conversations IN EXCLUSIVE MODE');
    const before = await held();
    const [count, padding] = [300, 'x'.repeat(180_000)];
    for (let index = 0; index < count; index++) {
      const params = { messageId: randomUUID(), receiverId: bob.id, content: String(index) };
      // Beside the fields that are known: an answer as long would be a second thing to be slow with.
      ann.socket.send({ type: 'privateMessage', params, requestId: `${index}`, padding });
    }
    const { most, left } = await heldUntilStill(ann.socket);
    await lock.release();
    expect(most - before).toBeLessThan(FLAT);
    expect(left).toBeGreaterThan((count * padding.length) / 2);
    await ann.socket.until(() => ann.socket.frames.length === 1 + count);
    // Whatever waited too long for the lock is answered with an error.
    const stored = ann.socket.frames
      .slice(1)
      .flatMap((frame) => ('success' in frame ? [Number.parseInt(String(frame.requestId), 10)] : []));
    // What was on the client's side when the lock ended did not wait for it.
    expect(stored.length).toBeGreaterThanOrEqual(Math.floor(left / padding.length) - 1);
    const told = (await heard(bob)).map((item) => item?.message);
    expect(told).toEqual(['first', ...stored.toSorted((one, other) => one - other).map(String)]);
    await Promise.all([ann.socket.close(), bob.socket.close()]);
  });

  test.each([
    ['requests', (requestId: string) => ({ type: 'nothing', requestId })],
    ['frames that are none', (requestId: string) => ({ requestId })],
  ])(
    'while a client sends %s and does not read the answers: the rest waits on its side, and all is answered in the end',
    async (_what, frame) => {
      const client = await connect(server, await newUser(server));
      client.socket.pause();
      const before = await held();
      const [count, padding] = [400, 'x'.repeat(150_000)];
      for (let index = 0; index < count; index++) client.send(frame(`${index} ${padding}`));
      const { most, left } = await heldUntilStill(client);
      expect(most - before).toBeLessThan(FLAT);
      expect(left).toBeGreaterThan((count * padding.length) / 2);
      client.socket.resume();
      await client.until(() => client.frames.length === count);
      expect(client.frames.map(({ requestId }) => Number.parseInt(String(requestId), 10))).toEqual(
        Array.from({ length: count }, (_, index) => index),
      );
      await client.close();
    },
  );
});
