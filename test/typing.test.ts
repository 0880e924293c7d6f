import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { fillGroup } from './support/crowd.ts';
import { call, newUser } from './support/http.ts';
import { add, heard, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

/** How long somebody types who does not say so again, and at least passes between two starts that are passed on, in milliseconds. */
const LASTING = 6_000;
const INTERVAL = 1_000;

const subscribe = ({ socket }: Person) => socket.ask('subscribe', { events: ['userTyping'] });

/** Somebody who wants to know who types. */
async function newWatcher(server: TestServer): Promise<Person> {
  const person = await newPerson(server);
  await subscribe(person);
  return person;
}

const start = ({ socket }: Person, name: object) => socket.ask('startTyping', name);
const stop = ({ socket }: Person, name: object) => socket.ask('stopTyping', name);

/** Waits until the person has been told so many times who types, and returns all of it. */
async function told(person: Person, count: number) {
  await person.socket.until(() => person.socket.broadcasts.filter(({ type }) => type === 'userTyping').length >= count);
  return heard(person, 'userTyping');
}

/** Some begin and stop to type all the time, for two seconds at least; returns how many starts may be passed on in that time. */
async function storm(typists: Person[], name: object): Promise<number> {
  const begun = performance.now();
  const type = async (person: Person) => {
    while (performance.now() - begun < 2 * INTERVAL) {
      await start(person, name);
      await stop(person, name);
    }
  };
  await Promise.all(typists.map(type));
  return 1 + Math.floor((performance.now() - begun) / INTERVAL);
}

const began = { isTyping: true };
const ended = { isTyping: false };

describe('typing', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  test('who begins and stops to type in a dialog is seen by the other person, and by nobody else', async () => {
    const [ann, bob, carol] = [await newWatcher(server), await newWatcher(server), await newWatcher(server)];
    const device = { ...ann, socket: await connect(server, ann) };
    await subscribe(device);
    const silent = { ...bob, socket: await connect(server, bob) };
    await silent.socket.ask('subscribe', { events: ['messageRead', 'catchUp'] });
    expect(await start(ann, { receiverId: bob.id })).toEqual({ item: null, data: null, isBroadcast: false });
    expect(await stop(ann, { receiverId: bob.id })).toEqual({ item: null, data: null, isBroadcast: false });
    const event = { companionId: ann.id, groupId: null, userId: ann.id };
    expect(await told(bob, 2)).toEqual([
      { ...event, ...began },
      { ...event, ...ended },
    ]);
    for (const person of [ann, device, carol, silent]) expect(await heard(person)).toEqual([]);
  });

  test('in a group the other members see it', async () => {
    const people = [await newWatcher(server), await newWatcher(server), await newWatcher(server)] as const;
    const [ann, bob, carol] = people;
    const groupId = await newCircle(server, [...people]);
    const stranger = await newWatcher(server);
    await start(ann, { groupId });
    await stop(ann, { groupId });
    const event = { companionId: null, groupId, userId: ann.id };
    for (const person of [bob, carol]) expect(await told(person, 2)).toEqual([began, ended].map((news) => ({ ...event, ...news })));
    for (const person of [ann, stranger]) expect(await heard(person, 'userTyping')).toEqual([]);
  });

  test('a message ends it at once, in a dialog and in a group; a message elsewhere does not', async () => {
    const [ann, bob] = [await newWatcher(server), await newWatcher(server)];
    const groupId = await newCircle(server, [bob, ann]);
    await start(ann, { receiverId: bob.id });
    await start(ann, { groupId });
    await write(ann, ann, 'elsewhere');
    await bob.socket.ask('privateMessage', { messageId: randomUUID(), receiverId: ann.id, content: 'by the other one' });
    expect(await told(bob, 2)).toMatchObject([began, began]);
    await write(ann, bob, 'Hello');
    expect(await told(bob, 3)).toMatchObject([began, began, { companionId: ann.id, ...ended }]);
    await writeToGroup(ann, groupId, 'Hello');
    expect(await told(bob, 4)).toMatchObject([began, began, ended, { groupId, ...ended }]);
    // Nothing is left to be ended.
    await stop(ann, { groupId });
    expect(await heard(bob, 'userTyping')).toHaveLength(4);
  });

  test('it ends with the connection that it was said on, and not with another one', async () => {
    const [ann, bob] = [await newWatcher(server), await newWatcher(server)];
    const device = { ...ann, socket: await connect(server, ann) };
    await start(device, { receiverId: bob.id });
    await ann.socket.close();
    expect(await told(bob, 1)).toMatchObject([began]);
    await device.socket.close();
    expect(await told(bob, 2)).toMatchObject([began, ended]);
  });

  test('it ends by itself six seconds after it was said last', async () => {
    const [ann, bob] = [await newWatcher(server), await newWatcher(server)];
    await start(ann, { receiverId: bob.id });
    await delay(INTERVAL / 2);
    const renewed = performance.now();
    await start(ann, { receiverId: bob.id });
    await bob.socket.until((frame) => 'success' in frame && frame.params.item?.isTyping === false);
    const lasted = performance.now() - renewed;
    expect(lasted).toBeGreaterThan(LASTING - 50);
    expect(lasted).toBeLessThan(LASTING + 2_000);
  });

  test('at most one start a second is passed on, however many there are', async () => {
    const [ann, bob] = [await newWatcher(server), await newWatcher(server)];
    const most = await storm([ann, ann, ann], { receiverId: bob.id });
    const items = await heard(bob, 'userTyping');
    const starts = items.filter((item) => item?.isTyping);
    expect(starts.length).toBeGreaterThan(1);
    expect(starts.length).toBeLessThanOrEqual(most);
    expect(items).toMatchObject(starts.flatMap(() => [began, ended]));
  });

  test('what is said in one conversation does not hold back another', async () => {
    const [ann, bob, carol] = [await newWatcher(server), await newWatcher(server), await newWatcher(server)];
    const groupId = await newCircle(server, [ann, bob, carol]);
    await Promise.all([
      start(ann, { receiverId: bob.id }),
      start(ann, { receiverId: carol.id }),
      start(ann, { groupId }),
      start(bob, { groupId }),
    ]);
    expect(await heard(carol, 'userTyping')).toHaveLength(3);
    expect(await heard(bob, 'userTyping')).toHaveLength(2);
  });

  test('in a group of more than a hundred one start a second is passed on, of all who type, and only its end', async () => {
    const people = [await newWatcher(server), await newWatcher(server), await newWatcher(server), await newWatcher(server)] as const;
    const [watcher, ...typists] = people;
    const groupId = await newCircle(server, [...people]);
    await fillGroup(server, groupId, 101);
    const most = await storm(typists, { groupId });
    const items = await heard(watcher, 'userTyping');
    const starts = items.filter((item) => item?.isTyping);
    expect(starts.length).toBeGreaterThan(1);
    expect(starts.length).toBeLessThanOrEqual(most);
    for (const { id } of typists) {
      const ofOne = items.filter((item) => item?.userId === id);
      expect(ofOne).toMatchObject(starts.filter((item) => item?.userId === id).flatMap(() => [began, ended]));
    }
  });

  test('an end that nobody waits for is not told, and nothing is when one types to oneself', async () => {
    const [ann, bob] = [await newWatcher(server), await newWatcher(server)];
    const device = { ...ann, socket: await connect(server, ann) };
    await subscribe(device);
    await stop(ann, { receiverId: bob.id });
    await start(ann, { receiverId: ann.id });
    await stop(ann, { receiverId: ann.id });
    for (const person of [bob, device]) expect(await heard(person)).toEqual([]);
  });

  test.each(['startTyping', 'stopTyping'])('%s is refused where one may not write, and nobody hears of it', async (type) => {
    const [ann, bob] = [await newWatcher(server), await newWatcher(server)];
    const gone = await newUser(server);
    await call(server, 'DELETE', '/profile', { token: gone.token });
    const groupId = await newCircle(server, [bob]);
    for (const id of [groupId, randomUUID(), dialogId(ann.id, bob.id)]) {
      expect(await ann.socket.fail(type, { groupId: id })).toMatchObject({ code: 'not_a_member' });
    }
    for (const receiverId of [gone.id, randomUUID()]) {
      expect(await ann.socket.fail(type, { receiverId })).toMatchObject({ code: 'no_such_user' });
    }
    for (const name of [{}, { receiverId: bob.id, groupId }]) {
      expect(await ann.socket.fail(type, name)).toMatchObject({ code: 'invalid_params' });
    }
    expect(await heard(bob, 'userTyping')).toEqual([]);
    // What was refused does not count.
    await add(bob, groupId, ann);
    await start(ann, { groupId });
    expect(await told(bob, 1)).toMatchObject([began]);
  });
});

describe.skipIf(!isRedisInstalled)('typing, with two servers on one database and Redis', () => {
  let redis: RedisServer;
  let here: TestServer;
  let there: TestServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
    here = await startServer({ REDIS_URL: redis.url });
    there = await startServer({ REDIS_URL: redis.url }, here.databaseUrl);
  });
  afterAll(async () => {
    await Promise.all([here?.app.stop(), there?.app.stop()]);
    await redis?.stop();
  });

  test('who types here is seen there, and no more once it was sent; a connection that did not ask sees nothing', async () => {
    const [ann, bob] = [await newWatcher(here), await newWatcher(there)];
    const silent = { ...bob, socket: await connect(there, bob) };
    await start(ann, { receiverId: bob.id });
    expect(await told(bob, 1)).toMatchObject([{ companionId: ann.id, groupId: null, userId: ann.id, ...began }]);
    await write(ann, bob, 'Hello');
    expect(await told(bob, 2)).toMatchObject([began, ended]);
    expect(await heard(silent, 'userTyping')).toEqual([]);
  });

  test('who types in a group here is seen there, and no more once the server here has stopped', async () => {
    const another = await startServer({ REDIS_URL: redis.url }, here.databaseUrl);
    const [ann, bob] = [await newWatcher(another), await newWatcher(there)];
    const groupId = await newCircle(another, [ann, bob]);
    const device = { ...ann, socket: await connect(there, ann) };
    await subscribe(device);
    await start(ann, { groupId });
    expect(await told(bob, 1)).toMatchObject([{ companionId: null, groupId, userId: ann.id, ...began }]);
    await another.app.stop();
    expect(await told(bob, 2)).toMatchObject([began, ended]);
    expect(await heard(device, 'userTyping')).toEqual([]);
  });
});
