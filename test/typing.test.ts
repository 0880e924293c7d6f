import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { fillGroup } from './support/crowd.ts';
import { query } from './support/database.ts';
import { call, newUser } from './support/http.ts';
import { METRICS_TOKEN, scrape } from './support/metrics.ts';
import { add, deviceOf, heard, leave, newCircle, newPerson, type Person, remove, write, writeToGroup } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect, type Frame } from './support/socket.ts';

/** How long somebody types who does not say so again, and at least passes between two starts that are passed on, in milliseconds. */
const LASTING = 6_000;
const INTERVAL = 1_000;
/** How often something is tried that must be done while somebody types who says so once. */
const ATTEMPTS = 3;

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

/** What the person was told of typing and of members, in this order. */
async function story(person: Person) {
  await person.socket.settle();
  return person.socket.broadcasts.flatMap(({ type, params: { item } }) => {
    if (type === 'userTyping') return [item?.isTyping ? 'types' : 'types no more'];
    return type === 'leaveGroup' || type === 'dropGroup' ? [type] : [];
  });
}

/** How the typist is a member of the owner's group no more. */
const PARTINGS = [
  { name: 'who leaves the group', part: (groupId: string, typist: Person) => leave(typist, groupId) },
  { name: 'who is removed from the group', part: (groupId: string, typist: Person, owner: Person) => remove(owner, groupId, typist) },
  {
    name: 'whose account is deleted',
    part: (_groupId: string, { token }: Person, _owner: Person, server: TestServer) => call(server, 'DELETE', '/profile', { token }),
  },
];

const began = { isTyping: true };
const ended = { isTyping: false };

describe('typing', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ METRICS_TOKEN });
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
    expect(await heard(bob, 'userTyping')).toMatchObject([began, began, { companionId: ann.id, ...ended }]);
    await writeToGroup(ann, groupId, 'Hello');
    expect(await heard(bob, 'userTyping')).toMatchObject([began, began, ended, { groupId, ...ended }]);
    // Nothing is left to be ended.
    await stop(ann, { groupId });
    expect(await heard(bob, 'userTyping')).toHaveLength(4);
  });

  test('what one tells a group by a change of its members ends it as well', async () => {
    const [ann, bob, carol] = [await newWatcher(server), await newWatcher(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob]);
    await start(ann, { groupId });
    await add(ann, groupId, carol);
    expect(await heard(bob, 'userTyping')).toMatchObject([began, ended]);
  });

  test('nobody types in a group that is dropped, and nobody is told so afterwards', async () => {
    const [ann, bob, carol] = [await newWatcher(server), await newWatcher(server), await newWatcher(server)];
    const topics = async () => (await scrape(server)).messenger_topics;
    const topicsBefore = await topics();
    const groupId = await newCircle(server, [ann, bob, carol]);
    await start(ann, { groupId });
    await start(bob, { groupId });
    await ann.socket.ask('dropGroup', { groupId });
    expect(await story(carol)).toEqual(['types', 'types', 'types no more', 'dropGroup']);
    expect(await topics()).toBe(topicsBefore);
  });

  test.each(PARTINGS)('$name types there no more, as the others hear before anything else of it', async ({ part }) => {
    const [ann, bob, carol] = [await newWatcher(server), await newWatcher(server), await newWatcher(server)];
    const groupId = await newCircle(server, [ann, bob, carol]);
    await start(carol, { groupId });
    await part(groupId, carol, ann, server);
    await bob.socket.broadcast('leaveGroup');
    expect(await story(bob)).toEqual(['types', 'types no more', 'leaveGroup']);
  });

  test('who was removed without being told types there no more once that is found out', async () => {
    const [ann, bob, carol] = [await newWatcher(server), await newWatcher(server), await newWatcher(server)];
    const groupId = await newCircle(server, [ann, bob, carol]);
    const messageId = randomUUID();
    await remove(ann, groupId, carol, messageId);
    await add(ann, groupId, carol);
    await start(carol, { groupId });
    await carol.socket.ask('subscribe', { events: ['catchUp'] });
    await query(server.databaseUrl, 'DELETE FROM members WHERE conversation_id = $1 AND user_id = $2', [groupId, carol.id]);
    await remove(ann, groupId, carol, messageId);
    await carol.socket.broadcast('catchUp');
    expect(await heard(bob, 'userTyping')).toMatchObject([began, ended]);
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
    const isEnd = (frame: Frame) => 'success' in frame && frame.params.item?.isTyping === false;
    const lasted = bob.socket.until(isEnd).then(() => performance.now() - renewed);
    // A machine that stands still holds up this timer as long as that of the server.
    await delay(LASTING + 2_000);
    expect((await heard(bob, 'userTyping')).at(-1)).toMatchObject(ended);
    expect(await lasted).toBeGreaterThan(LASTING - 50);
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

  test('a start too soon after another is told when its second is over, and only if it lasts', async () => {
    const [ann, bob] = [await newWatcher(server), await newWatcher(server)];
    const groupId = await newCircle(server, [ann, bob]);
    for (const name of [{ receiverId: bob.id }, { groupId }]) {
      const before = (await heard(bob, 'userTyping')).length;
      await start(ann, name);
      await stop(ann, name);
      await start(ann, name);
      expect((await told(bob, before + 3)).slice(before)).toMatchObject([began, ended, began]);
      await stop(ann, name);
      await start(ann, name);
      await stop(ann, name);
      await delay(INTERVAL + 200);
      const items = await heard(bob, 'userTyping');
      expect(items).toMatchObject(items.map((_item, index) => (index % 2 === 0 ? began : ended)));
      expect(items.at(-1)).toMatchObject(ended);
    }
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

  const WAYS = [
    { way: 'on another connection there', writer: (ann: Person) => deviceOf(there, ann) },
    { way: 'over HTTP there', writer: async ({ token }: Person) => ({ token }) },
  ];
  const send = async (from: Person | { token: string }, path: string, name: object) => {
    const message = { messageId: randomUUID(), content: 'Hello' };
    if ('socket' in from) await from.socket.ask('groupId' in name ? 'messageInGroup' : 'privateMessage', { ...message, ...name });
    else expect(await call(there, 'POST', `${path}/messages`, { token: from.token, body: message })).toMatchObject({ status: 201 });
  };

  test.each(WAYS)('what is sent $way ends what is typed here, in a dialog and in a group', async ({ writer }) => {
    const [ann, bobHere] = [await newPerson(here), await newPerson(here)];
    const groupId = await newCircle(here, [bobHere, ann]);
    const bob = await deviceOf(there, bobHere, ['userTyping']);
    await bobHere.socket.close();
    const from = await writer(ann);
    async function tryIt() {
      const before = (await heard(bob, 'userTyping')).length;
      const toldSince = async (count: number) => (await told(bob, before + count)).slice(before);
      const begun = performance.now();
      await start(ann, { receiverId: bob.id });
      await start(ann, { groupId });
      const first = await toldSince(2);
      await send(from, `/dialogs/${bob.id}`, { receiverId: bob.id });
      const second = await toldSince(3);
      await send(from, `/groups/${groupId}`, { groupId });
      const third = await toldSince(4);
      return { took: performance.now() - begun, first, second, third };
    }
    let tried = await tryIt();
    // Where it took so long that it ends by itself, nothing is shown.
    for (let attempt = 1; attempt < ATTEMPTS && tried.took >= LASTING; attempt++) tried = await tryIt();
    expect(tried.took).toBeLessThan(LASTING);
    expect(tried).toMatchObject({
      first: [began, began],
      second: [began, began, { companionId: ann.id, ...ended }],
      third: [began, began, ended, { groupId, ...ended }],
    });
    const count = (await heard(bob, 'userTyping')).length;
    // Nothing is left to be ended.
    await stop(ann, { receiverId: bob.id });
    await stop(ann, { groupId });
    await write(ann, bob, 'the last word');
    await bob.socket.until((frame) => 'success' in frame && frame.params.item?.message === 'the last word');
    expect(await heard(bob, 'userTyping')).toHaveLength(count);
  });

  test('what is sent there elsewhere, or by others, does not end what is typed here', async () => {
    const [ann, bob, carol] = [await newPerson(here), await newWatcher(here), await newPerson(here)];
    const groupId = await newCircle(here, [ann, bob, carol]);
    const [annThere, bobThere, carolThere] = [await deviceOf(there, ann), await deviceOf(there, bob), await deviceOf(there, carol)];
    await start(ann, { receiverId: bob.id });
    await start(ann, { groupId });
    await write(annThere, carol, 'to another one');
    await write(carolThere, bob, 'by another one');
    await writeToGroup(carolThere, groupId, 'by another one');
    await write(bobThere, ann, 'by the other one');
    await ann.socket.broadcast('messageInGroup');
    await ann.socket.broadcast('privateMessage');
    expect(await heard(bob, 'userTyping')).toMatchObject([began, began]);
  });

  test.each(PARTINGS)('$name there types no more here', async ({ part }) => {
    const [ann, bob, carol] = [await newPerson(here), await newWatcher(here), await newPerson(here)];
    const groupId = await newCircle(here, [ann, bob, carol]);
    const [annThere, carolThere] = [await deviceOf(there, ann), await deviceOf(there, carol)];
    const bobThere = await deviceOf(there, bob, ['userTyping']);
    await start(carol, { groupId });
    await told(bobThere, 1);
    await part(groupId, carolThere, annThere, there);
    await bob.socket.broadcast('leaveGroup');
    expect(await story(bob)).toEqual(['types', 'types no more', 'leaveGroup']);
    // Here and there nobody knows what comes first.
    expect(await told(bobThere, 2)).toMatchObject([began, ended]);
  });

  test('that somebody types to me here keeps nothing from my device there that I send here', async () => {
    const [ann, bob] = [await newPerson(here), await newUser(here)];
    const writeHere = (content: string) =>
      call(here, 'POST', `/dialogs/${ann.id}/messages`, { token: bob.token, body: { messageId: randomUUID(), content } });
    await start(ann, { receiverId: bob.id });
    await writeHere('while you type');
    await stop(ann, { receiverId: bob.id });
    const device = await connect(there, bob);
    await device.ask('subscribe', { events: ['ownMessages'] });
    await writeHere('to be heard there');
    expect(await device.broadcast('privateMessage')).toMatchObject({ message: 'to be heard there' });
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
