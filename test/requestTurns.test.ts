import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { eventually } from './support/eventually.ts';
import { call } from './support/http.ts';
import { type holdLock, whileItWaits } from './support/lock.ts';
import { expectUnderWay, METRICS_TOKEN, scrape } from './support/metrics.ts';
import { deviceOf, NEWEST, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

/** Requests of one user that are under way at a time, and those that may wait. */
const [AT_ONCE, WAITING] = [4, 1_000];
/** What one connection may ask without an answer. */
const OF_CONNECTION = 256;
/** Connections to the database for what users ask. */
const CONNECTIONS = 6;

describe('Requests of one user', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ METRICS_TOKEN });
  });
  afterAll(() => server.app.stop());

  const waiting = async () => (await scrape(server))['messenger_queue_depth{queue="requests"}'];
  const expectWaiting = (count: number) => eventually(async () => expect(await waiting()).toBe(count));

  /** Until the lock is released, this person cannot mark as read what the other one wrote. */
  async function holdReading(reader: Person, writer: Person, take: typeof holdLock) {
    const messageId = randomUUID();
    await write(writer, reader, 'Hello', messageId);
    const place = [dialogId(reader.id, writer.id), reader.id];
    const lock = await take(server.databaseUrl, 'SELECT FROM members WHERE conversation_id = $1 AND user_id = $2 FOR UPDATE', place);
    const read = ({ socket }: Person) => socket.request('markRead', { receiverId: writer.id, messageId });
    return { lock, read };
  }

  test('are under way a few at a time, on all connections together, so that others read and send meanwhile', () =>
    whileItWaits(async (take) => {
      const [eve, ann, bob] = [await newPerson(server), await newPerson(server), await newPerson(server)];
      const { lock, read } = await holdReading(eve, ann, take);
      const other = await deviceOf(server, eve);
      const asked = [...Array.from({ length: CONNECTIONS }, () => read(eve)), ...Array.from({ length: CONNECTIONS }, () => read(other))];
      await lock.awaited(AT_ONCE);
      await expectWaiting(asked.length - AT_ONCE);
      await write(ann, bob, 'Hello');
      expect(await bob.socket.rows('getlatestMessageDialog', { receiverId: ann.id, ...NEWEST })).toHaveLength(1);
      expect((await call(server, 'GET', '/chats', { token: bob.token })).status).toBe(200);
      await expectUnderWay(server, AT_ONCE);
      await lock.release();
      await Promise.all(asked);
      expect(await waiting()).toBe(0);
    }));

  test('hold up neither messages nor connects of others, even where as many users ask as there are connections to the database', () =>
    whileItWaits(async (take) => {
      const [ann, bob] = [await newPerson(server), await newPerson(server)];
      const readers = await Promise.all(Array.from({ length: CONNECTIONS }, () => newPerson(server)));
      const groupId = await newCircle(server, [ann, bob, ...readers]);
      const messageId = randomUUID();
      await writeToGroup(ann, groupId, 'Hello', messageId);
      const places = 'SELECT FROM members WHERE conversation_id = $1 AND user_id = ANY ($2) FOR UPDATE';
      const lock = await take(server.databaseUrl, places, [groupId, readers.map(({ id }) => id)]);
      const asked = readers.flatMap(({ socket }) => Array.from({ length: 3 }, () => socket.request('markRead', { groupId, messageId })));
      let isFirstAnswered = false;
      void Promise.race(asked).then(() => {
        isFirstAnswered = true;
      });
      await lock.awaited(CONNECTIONS);
      await write(ann, bob, 'Hello');
      await writeToGroup(bob, groupId, 'Hello');
      await (await connect(server, ann)).close();
      // The database ends what waits for the lock after five seconds.
      expect(isFirstAnswered).toBe(false);
      await lock.release();
      await Promise.all(asked);
    }));

  test('that are too many are answered with busy, over HTTP too, and so are those that waited too long', async () => {
    const { lock, asked } = await whileItWaits(async (take) => {
      const [eve, ann] = [await newPerson(server), await newPerson(server)];
      const { lock, read } = await holdReading(eve, ann, take);
      const devices = await Promise.all(Array.from({ length: 4 }, () => deviceOf(server, eve)));
      const asked = devices.flatMap((device) => Array.from({ length: (AT_ONCE + WAITING) / devices.length }, () => read(device)));
      await lock.awaited(AT_ONCE);
      await expectWaiting(WAITING);
      expect(await read(eve)).toMatchObject({ error: true, code: 'busy' });
      expect(await call(server, 'GET', '/chats', { token: eve.token })).toMatchObject({ status: 503, body: { code: 'busy' } });
      expect(await ann.socket.rows('listLastMessage', NEWEST)).toHaveLength(1);
      return { lock, asked };
    });
    const answers = await Promise.all(asked);
    await lock.release();
    const busy = answers.filter((answer) => 'error' in answer && answer.code === 'busy');
    expect(busy.length).toBeGreaterThan(WAITING / 2);
  });

  test('that read very much are still waiting when others have read and sent again and again', async () => {
    const [eve, ann, bob] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'Hello');
    const groupId = await newCircle(server, [eve]);
    await Promise.all(Array.from({ length: 100 }, () => writeToGroup(eve, groupId, 'Hello')));
    const others = Array.from({ length: 99 }, () => ({ receiverId: randomUUID(), afterRev: 0 }));
    const missed = { type: 'getMissed', params: { cursors: [{ groupId, afterRev: 0 }, ...others], changedSince: null, limit: 100 } };
    const page = { type: 'getlatestMessageGroup', params: { groupId, ...NEWEST } };
    let answered = 0;
    const devices = await Promise.all(Array.from({ length: 4 }, () => connect(server, eve)));
    const perDevice = OF_CONNECTION - 6;
    for (const { socket } of devices) {
      // Counted as they come: to look at so many would take longer than to make them.
      socket.removeAllListeners('message').on('message', () => answered++);
      for (let index = 0; index < perDevice; index++) socket.send(JSON.stringify(index % 2 === 0 ? missed : page));
    }
    await vi.waitFor(() => expect(answered).toBeGreaterThan(0), { timeout: 20_000, interval: 1 });
    // What waited behind all of it would not be answered once before half of it is, however slow the machine.
    let rounds = -1;
    for (; answered < (devices.length * perDevice) / 2; rounds++) {
      await write(ann, bob, 'Hello');
      await bob.socket.rows('getlatestMessageDialog', { receiverId: ann.id, ...NEWEST });
    }
    expect(rounds).toBeGreaterThan(1);
    await vi.waitFor(() => expect(answered).toBe(devices.length * perDevice), { timeout: 30_000 });
  });
});
