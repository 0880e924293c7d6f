import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call } from './support/http.ts';
import { METRICS_TOKEN, scrape } from './support/metrics.ts';
import { A_TIME, add, addEmptyDialog, heard, leave, newCircle, newPerson, type Person, remove, write } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const ONLINE = (userId: string, lastSeenAt: unknown = null) => ({ userId, status: 'online', lastSeenAt });
const OFFLINE = (userId: string) => ({ userId, status: 'offline', lastSeenAt: A_TIME });

describe.each([
  { kind: 'one server without Redis', needsRedis: false },
  { kind: 'two servers on Redis', needsRedis: true },
])('presence at $kind', ({ needsRedis }) => {
  const skip = needsRedis && !isRedisInstalled;
  let redis: RedisServer | undefined;
  let here: TestServer;
  /** The same server where there is but one. */
  let there: TestServer;

  beforeAll(async () => {
    if (skip) return;
    if (needsRedis) redis = await RedisServer.start();
    const variables: Record<string, string> = redis ? { REDIS_URL: redis.url } : {};
    here = await startServer(variables);
    there = redis ? await startServer(variables, here.databaseUrl) : here;
  });
  afterAll(async () => {
    if (skip) return;
    await here.app.stop();
    if (there !== here) await there.app.stop();
    await redis?.stop();
  });

  /** Two who have written to one another, the first of them with its events on. */
  async function friends(): Promise<[Person, Person]> {
    const [alice, bob] = [await newPerson(here), await newPerson(there)];
    await write(alice, bob, 'Hello');
    await alice.socket.ask('subscribe', { events: ['userStatus'] });
    return [alice, bob];
  }
  const watch = ({ socket }: Person, ...people: { id: string }[]) => socket.rows('watchPresence', { userIds: people.map(({ id }) => id) });
  const statusesOf = ({ socket }: Person) => socket.broadcasts.filter(({ type }) => type === 'userStatus').map(({ params }) => params.item);
  const until = (person: Person, statuses: unknown[]) => eventually(() => expect(statusesOf(person)).toEqual(statuses));
  /**
   * Watches people who are online. Who has just come may not be yet, and nobody is while Redis takes long to answer; so it begins when
   * another connection was told that they are.
   */
  async function watchOnline(person: Person, ...people: { id: string }[]): Promise<void> {
    const online = people.map(({ id }) => ONLINE(id));
    const scout = { ...person, socket: await connect(here, person) };
    await scout.socket.ask('subscribe', { events: ['userStatus'] });
    const answered = await watch(scout, ...people);
    await eventually(() => expect([...answered, ...statusesOf(scout)]).toEqual(expect.arrayContaining(online)));
    expect(await watch(person, ...people)).toEqual(online);
    await scout.socket.close();
  }

  describe.skipIf(skip)('whoever watches', () => {
    test('is answered how it is with each, in the order asked', async () => {
      const [alice, bob] = await friends();
      const carol = await newPerson(here);
      const groupId = await newCircle(here, [alice, carol]);
      await carol.socket.close();
      await eventually(async () => expect(await watch(alice, carol, bob)).toEqual([OFFLINE(carol.id), ONLINE(bob.id)]));
      await alice.socket.ask('dropGroup', { groupId });
    });

    test('hears when the last connection is closed, and when the first is opened again, and only then', async () => {
      const [alice, bob] = await friends();
      const [carol, second] = [await newPerson(there), await connect(here, bob)];
      await write(alice, carol, 'Hello');
      await watchOnline(alice, bob, carol);
      await bob.socket.close();
      await heard(alice);
      await second.close();
      await until(alice, [OFFLINE(bob.id)]);
      const third = await connect(there, bob);
      await until(alice, [OFFLINE(bob.id), ONLINE(bob.id, A_TIME)]);
      await connect(here, bob);
      await third.close();
      // What comes after it, and the same way, has come: so nothing is on its way.
      await carol.socket.close();
      await until(alice, [OFFLINE(bob.id), ONLINE(bob.id, A_TIME), OFFLINE(carol.id)]);
    });

    test('does not hear it without having asked for the event, nor after unwatchPresence', async () => {
      const [alice, bob] = await friends();
      const [silent, former] = [await connect(here, alice), await connect(here, alice)];
      await former.ask('subscribe', { events: ['userStatus'] });
      await watchOnline(alice, bob);
      for (const socket of [silent, former]) await socket.ask('watchPresence', { userIds: [bob.id] });
      expect(await former.ask('unwatchPresence', { userIds: [bob.id] })).toMatchObject({ item: null, data: null });
      await bob.socket.close();
      await until(alice, [OFFLINE(bob.id)]);
      for (const socket of [silent, former]) expect(await heard({ socket })).toEqual([]);
    });

    test('does not hear it after unwatchPresence, also where that did not wait for the answer to watchPresence', async () => {
      const [alice, bob] = await friends();
      const former = await connect(here, alice);
      await former.ask('subscribe', { events: ['userStatus'] });
      await watchOnline(alice, bob);
      await Promise.all(['watchPresence', 'unwatchPresence'].map((type) => former.ask(type, { userIds: [bob.id] })));
      await bob.socket.close();
      await until(alice, [OFFLINE(bob.id)]);
      expect(await heard({ socket: former })).toEqual([]);
    });

    test('is refused strangers, also among friends, and told which they are; then nobody is watched', async () => {
      const [alice, bob] = await friends();
      const [carol, stranger] = [await newPerson(there), await newPerson(here)];
      await write(alice, carol, 'Hello');
      const error = await alice.socket.fail('watchPresence', { userIds: [bob.id, stranger.id, randomUUID()] });
      expect(error).toMatchObject({ code: 'no_shared_chat', issues: [{ path: 'userIds.1' }, { path: 'userIds.2' }] });
      await watchOnline(alice, carol);
      await bob.socket.close();
      await carol.socket.close();
      await until(alice, [OFFLINE(carol.id)]);
    });

    test('is refused somebody to whom nothing was ever written, whatever rows there are of a dialog', async () => {
      const [alice, bob] = [await newPerson(here), await newPerson(there)];
      await addEmptyDialog(here, alice, bob);
      expect(await alice.socket.fail('watchPresence', { userIds: [bob.id] })).toMatchObject({ code: 'no_shared_chat' });
      await write(alice, bob, 'Hello');
      await watchOnline(alice, bob);
    });

    test('may watch the members of a group, and no longer who has left it', async () => {
      const [alice, bob] = [await newPerson(here), await newPerson(there)];
      const groupId = await newCircle(here, [alice, bob]);
      await watchOnline(alice, bob);
      await leave(bob, groupId);
      expect(await alice.socket.fail('watchPresence', { userIds: [bob.id] })).toMatchObject({ code: 'no_shared_chat' });
    });

    describe('and shared with somebody no more than a group', () => {
      /** The first owns the group of the three, the second watches the third, and so does a fourth, who has written to that one. */
      async function circle() {
        const [owner, alice, bob, friend] = [await newPerson(here), await newPerson(here), await newPerson(there), await newPerson(here)];
        const groupId = await newCircle(here, [owner, alice, bob]);
        await write(friend, bob, 'Hello');
        for (const person of [alice, friend]) {
          await person.socket.ask('subscribe', { events: ['userStatus'] });
          await watchOnline(person, bob);
        }
        return { owner, alice, bob, friend, groupId };
      }

      test.each<[string, (scene: Awaited<ReturnType<typeof circle>>) => Promise<unknown>]>([
        ['left it', ({ alice, groupId }) => leave(alice, groupId)],
        ['was removed from it', ({ owner, alice, groupId }) => remove(owner, groupId, alice)],
        ['was left by that one', ({ bob, groupId }) => leave(bob, groupId)],
        ['saw that one removed', ({ owner, bob, groupId }) => remove(owner, groupId, bob)],
        ['saw it dropped', ({ owner, groupId }) => owner.socket.ask('dropGroup', { groupId })],
      ])('and %s hears nothing of what happens then, while who shares a dialog does', async (_what, part) => {
        const scene = await circle();
        const { alice, bob, friend } = scene;
        await part(scene);
        await bob.socket.close();
        await until(friend, [OFFLINE(bob.id)]);
        await connect(there, bob);
        await until(friend, [OFFLINE(bob.id), ONLINE(bob.id, A_TIME)]);
        expect(await heard(alice, 'userStatus')).toEqual([]);
      });

      test('hears nothing of a deleted account, while who shares a dialog does', async () => {
        const { alice, bob, friend } = await circle();
        await call(there, 'DELETE', '/profile', { token: bob.token });
        await until(friend, [OFFLINE(bob.id)]);
        expect(await heard(alice, 'userStatus')).toEqual([]);
      });

      test('hears again when they share one again', async () => {
        const { owner, alice, bob, friend, groupId } = await circle();
        await leave(alice, groupId);
        await bob.socket.close();
        await until(friend, [OFFLINE(bob.id)]);
        await add(owner, groupId, alice);
        await connect(there, bob);
        await until(alice, [ONLINE(bob.id, A_TIME)]);
      });
    });

    test('sees somebody who deleted the account go offline', async () => {
      const [alice, bob] = await friends();
      await watchOnline(alice, bob);
      await call(here, 'DELETE', '/profile', { token: bob.token });
      await until(alice, [OFFLINE(bob.id)]);
    });

    test.each([
      ['nobody', []],
      ['201 users', Array.from({ length: 201 }, () => randomUUID())],
      ['what is no id', ['bob']],
    ])('names %s: an error', async (_what, userIds) => {
      const alice = await newPerson(here);
      expect(await alice.socket.fail('watchPresence', { userIds })).toMatchObject({ code: 'invalid_params' });
    });
  });
});

test('a connection may watch 1,000 users, and ask again for whom it watches', async () => {
  const server = await startServer();
  const alice = await newPerson(server);
  const groupId = await newCircle(server, [alice]);
  const userIds = Array.from({ length: 1_001 }, () => randomUUID());
  await query(
    server.databaseUrl,
    `WITH made AS (
       INSERT INTO users (id, email, first_name, password_hash, search_text, created_at, updated_at)
       SELECT id, id || '@example.com', 'Ann', '', '', now(), now() FROM unnest($1::uuid[]) AS id RETURNING id
     )
     INSERT INTO members (conversation_id, user_id) SELECT $2, id FROM made`,
    [userIds, groupId],
  );
  const watch = (begin: number, end: number) => ({ userIds: userIds.slice(begin, end) });
  for (let begin = 0; begin < 1_000; begin += 200) await alice.socket.rows('watchPresence', watch(begin, begin + 200));
  expect(await alice.socket.rows('watchPresence', watch(800, 1_000))).toHaveLength(200);
  expect(await alice.socket.fail('watchPresence', watch(900, 1_001))).toMatchObject({
    code: 'invalid_params',
    issues: [{ path: 'userIds' }],
  });
  await alice.socket.ask('unwatchPresence', watch(0, 1));
  expect(await alice.socket.rows('watchPresence', watch(900, 1_001))).toHaveLength(101);
  await server.app.stop();
});

test('what a connection asked for and did not live to receive leaves nothing behind', async () => {
  const server = await startServer({ METRICS_TOKEN });
  const [alice, bob] = [await newPerson(server), await newPerson(server)];
  await write(alice, bob, 'Hello');
  for (let count = 0; count < 20; count++) {
    const hasty = await connect(server, alice);
    hasty.send({ type: 'watchPresence', params: { userIds: [bob.id] } });
    hasty.send({ type: 'subscribe', params: { events: ['ownMessages'] } });
    hasty.socket.terminate();
  }
  await Promise.all([alice, bob].map(({ socket }) => socket.close()));
  const left = await newPerson(server);
  await left.socket.settle();
  await eventually(async () => expect((await scrape(server)).messenger_connections).toBe(1));
  await left.socket.settle();
  expect((await scrape(server)).messenger_topics).toBe(1);
  await server.app.stop();
});
