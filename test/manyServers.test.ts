import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, logIn, newUser } from './support/http.ts';
import { add, heard, leave, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

/** Longest time until every process knows of a change, in milliseconds, where a message takes no time. */
const SOON = 1_000;

const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };

describe.skipIf(!isRedisInstalled).each([
  { redisKind: 'Redis', cluster: false },
  { redisKind: 'a Redis Cluster', cluster: true },
])('two servers on one database and $redisKind', ({ cluster }) => {
  let redis: RedisServer;
  let here: TestServer;
  let there: TestServer;

  beforeAll(async () => {
    redis = await RedisServer.start({ cluster });
    const variables = { REDIS_URL: redis.url, REDIS_CLUSTER: `${cluster}` };
    here = await startServer(variables);
    there = await startServer(variables, here.databaseUrl);
  });
  afterAll(async () => {
    await Promise.all([here?.app.stop(), there?.app.stop()]);
    await redis?.stop();
  });

  const sockets = async (person: Person) => ({ ...person, socket: await connect(there, person) });

  test('a private message reaches the receiver at both, each connection once, and nobody else', async () => {
    const [alice, bob, carol] = [await newPerson(here), await newPerson(here), await newPerson(there)];
    const bobThere = await sockets(bob);
    const aliceThere = await sockets(alice);
    await write(alice, bob, 'Hello');
    for (const { socket } of [bob, bobThere])
      expect(await socket.broadcast('privateMessage')).toMatchObject({ message: 'Hello', senderId: alice.id });
    await write(alice, bob, 'and again');
    await bobThere.socket.until((frame) => 'success' in frame && frame.params.item?.message === 'and again');
    for (const person of [bob, bobThere]) expect(await heard(person)).toHaveLength(2);
    for (const person of [alice, aliceThere, carol]) expect(await heard(person)).toEqual([]);
  });

  test('what one person sends arrives in order at the other server', async () => {
    const [alice, bob] = [await newPerson(here), await newPerson(there)];
    const contents = Array.from({ length: 200 }, (_, index) => `${index}`);
    await Promise.all(contents.map((content) => write(alice, bob, content)));
    await bob.socket.until((frame) => 'success' in frame && frame.params.item?.message === '199');
    expect((await heard(bob)).map((item) => item?.message)).toEqual(contents);
  });

  test('a message in a group reaches the members at both, but not its sender', async () => {
    const [alice, bob, carol] = [await newPerson(here), await newPerson(there), await newPerson(here)];
    const groupId = await newCircle(here, [alice, bob, carol]);
    await writeToGroup(bob, groupId, 'Hello');
    for (const person of [alice, carol])
      expect(await person.socket.broadcast('messageInGroup')).toMatchObject({ groupId, message: 'Hello' });
    expect(await heard(bob, 'messageInGroup')).toEqual([]);
  });

  test('who is added here hears the group there at once, with the news of it', async () => {
    const [alice, bob] = [await newPerson(here), await newPerson(there)];
    const bobHere = { ...bob, socket: await connect(here, bob) };
    const groupId = await newCircle(here, [alice]);
    await add(alice, groupId, bob);
    for (const { socket } of [bob, bobHere])
      expect(await socket.broadcast('addUserInGroup')).toMatchObject({ groupId, senderId: alice.id });
    await writeToGroup(alice, groupId, 'Welcome');
    for (const { socket } of [bob, bobHere]) expect(await socket.broadcast('messageInGroup')).toMatchObject({ message: 'Welcome' });
    for (const person of [bob, bobHere]) expect(await heard(person, 'addUserInGroup')).toHaveLength(1);
  });

  test('who creates a group here hears it there', async () => {
    const [alice, bob] = [await newPerson(there), await newPerson(there)];
    const groupId = await newCircle(here, [{ ...alice, socket: await connect(here, alice) }, bob]);
    await writeToGroup(bob, groupId, 'Thank you');
    expect(await alice.socket.broadcast('messageInGroup')).toMatchObject({ message: 'Thank you' });
  });

  test('who leaves here hears nothing more there, and the others hear of it', async () => {
    const [alice, bob] = [await newPerson(here), await newPerson(here)];
    const groupId = await newCircle(here, [alice, bob]);
    const [aliceThere, bobThere] = [await sockets(alice), await sockets(bob)];
    await leave(bob, groupId);
    expect(await aliceThere.socket.broadcast('leaveGroup')).toMatchObject({ groupId, senderId: bob.id });
    await writeToGroup(alice, groupId, 'Gone?');
    await write(alice, bob, 'Goodbye');
    await bobThere.socket.broadcast('privateMessage');
    for (const type of ['leaveGroup', 'messageInGroup']) expect(await heard(bobThere, type)).toEqual([]);
  });

  test('a group that is dropped here is gone there', async () => {
    const [alice, bob] = [await newPerson(here), await newPerson(there)];
    const groupId = await newCircle(here, [alice, bob]);
    await alice.socket.ask('dropGroup', { groupId });
    expect(await bob.socket.broadcast('dropGroup')).toEqual({ groupId });
    expect(await bob.socket.fail('messageInGroup', { messageId: randomUUID(), groupId, content: 'Hello?' })).toMatchObject({
      code: 'not_a_member',
    });
  });

  test('a changed password ends the other sessions there within a second, and keeps its own', async () => {
    const [alice, bob, carol] = [await newUser(here), await newPerson(here), await newPerson(there)];
    const mine = await connect(there, alice);
    const other = await connect(there, await logIn(here, alice));
    let closedAt = Number.POSITIVE_INFINITY;
    const closed = other.closed().finally(() => {
      closedAt = performance.now();
    });
    const body = { oldPassword: alice.password, newPassword: 'another password' };
    await call(here, 'PATCH', '/profile/password', { token: alice.token, body });
    const changedAt = performance.now();
    // One message after the other, until then: a machine that stands still holds up one of them as long.
    let longest = 0;
    while (closedAt === Number.POSITIVE_INFINITY) {
      const begun = performance.now();
      const content = randomUUID();
      await write(bob, carol, content);
      await carol.socket.until((frame) => 'success' in frame && frame.params.item?.message === content);
      longest = Math.max(longest, performance.now() - begun);
    }
    expect(await closed).toEqual(UNAUTHORIZED);
    expect(closedAt - changedAt).toBeLessThan(SOON + longest);
    await mine.settle();
  });

  test('a deleted account is closed there, and its groups hear that it left', async () => {
    const [alice, bob] = [await newPerson(here), await newPerson(there)];
    const groupId = await newCircle(here, [bob, alice].reverse() as [Person, Person]);
    const closed = bob.socket.closed();
    await call(here, 'DELETE', '/profile', { token: bob.token });
    expect(await closed).toEqual(UNAUTHORIZED);
    expect(await alice.socket.broadcast('leaveGroup')).toMatchObject({ groupId, senderId: bob.id });
  });

  test('a new name is in the very next message that is sent there', async () => {
    const [alice, bob] = [await newPerson(there), await newPerson(there)];
    await call(here, 'PATCH', '/profile', { token: alice.token, body: { firstName: 'Renamed' } });
    await write(alice, bob, 'Hello');
    expect(await bob.socket.broadcast('privateMessage')).toMatchObject({ senderName: 'Renamed' });
  });

  test('what I do here reaches my other device there, whether it asks for it before I begin or after', async () => {
    const [alice, bob] = [await newPerson(here), await newPerson(here)];
    await write(alice, bob, 'nobody else wants to hear this');
    await write(alice, bob, 'nor this');
    const device = await sockets(alice);
    await device.socket.ask('subscribe', { events: ['ownMessages', 'catchUp'] });
    // What was held back meanwhile is to be asked for.
    await device.socket.broadcast('catchUp');
    await write(alice, bob, 'Hello');
    expect(await device.socket.broadcast('privateMessage')).toMatchObject({ message: 'Hello', companionId: bob.id, groupId: null });
    await device.socket.close();
    for (let count = 0; count < 3; count++) await write(alice, bob, 'alone again');
    const later = await sockets(alice);
    await later.socket.ask('subscribe', { events: ['ownMessages'] });
    for (let count = 0; count < 3; count++) await write(alice, bob, `${count}`);
    await later.socket.until((frame) => 'success' in frame && frame.params.item?.message === '2');
    expect((await heard(later)).map((item) => item?.message)).toEqual(['0', '1', '2']);
  });
});
