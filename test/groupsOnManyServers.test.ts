import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from './support/http.ts';
import { add, deviceOf, heard, newCircle, newPerson, type Person, remove, setRole, write, writeToGroup } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import type { Frame } from './support/socket.ts';

const EVENTS = ['groupUpdated', 'memberRemoved', 'roleChanged'];

describe.skipIf(!isRedisInstalled).each([
  { redisKind: 'Redis', cluster: false },
  { redisKind: 'a Redis Cluster', cluster: true },
])('a group whose members are at two servers with $redisKind', ({ cluster }) => {
  let redis: RedisServer;
  let here: TestServer;
  let there: TestServer;
  let owner: Person;
  let member: Person;

  beforeAll(async () => {
    redis = await RedisServer.start({ cluster });
    const variables = { REDIS_URL: redis.url, REDIS_CLUSTER: `${cluster}` };
    here = await startServer(variables);
    there = await startServer(variables, here.databaseUrl);
    [owner, member] = [await newPerson(here), await newPerson(there)];
  });
  afterAll(async () => {
    await Promise.all([here?.app.stop(), there?.app.stop()]);
    await redis?.stop();
  });

  /** A group of these people, who have all heard of it. */
  async function gather([owner, ...others]: [Person, ...Person[]]): Promise<string> {
    const groupId = await newCircle(here, [owner, ...others]);
    const isNews = (frame: Frame) => 'success' in frame && frame.type === 'addUserInGroup' && frame.params.item?.groupId === groupId;
    await Promise.all(others.map(({ socket }) => socket.until(isNews)));
    return groupId;
  }

  /** A connection of the person at the other server, that asked for events, and what it is told of all that was published before. */
  const listener = (person: Person) => deviceOf(there, person, EVENTS);

  test('is made here, and those who are named hear it there at once, with the news of it', async () => {
    const plain = await deviceOf(there, owner);
    const { item } = await owner.socket.ask('newGroup', { groupName: 'Friends', userIds: [member.id], message: 'Welcome' });
    const groupId = String(item?.groupId);
    const news = (frame: object) => JSON.stringify(frame).includes(groupId);
    await member.socket.until((frame) => 'success' in frame && frame.type === 'addUserInGroup' && news(frame));
    await writeToGroup(owner, groupId, 'Hello');
    await member.socket.until((frame) => 'success' in frame && frame.type === 'messageInGroup' && news(frame));
    await writeToGroup(member, groupId, 'Thank you');
    expect(await plain.socket.broadcast('messageInGroup')).toMatchObject({ message: 'Thank you' });
    expect(await heard(plain, 'addUserInGroup')).toEqual([]);
  });

  test('is renamed here: who asked for it is told there, and what is written there has the name', async () => {
    const groupId = await gather([owner, member]);
    const [asked, plain] = [await listener(member), await deviceOf(there, member)];
    await owner.socket.ask('updateGroup', { groupId, groupName: 'Renamed' });
    const item = { companionId: null, groupId, groupName: 'Renamed', description: null, updatedBy: owner.id };
    expect(await asked.socket.broadcast('groupUpdated')).toEqual(item);
    const writer = await deviceOf(here, owner);
    await writeToGroup(member, groupId, 'Nice');
    expect(await writer.socket.broadcast('messageInGroup')).toMatchObject({ groupName: 'Renamed' });
    expect(await heard(plain)).toEqual([]);
  });

  test('is handed over here: who asked for it is told there, and the new owner may drop it there', async () => {
    const groupId = await gather([owner, member]);
    const [asked, plain] = [await listener(member), await deviceOf(there, member)];
    await setRole(owner, groupId, member, 'owner');
    await asked.socket.until((frame) => 'success' in frame && frame.params.item?.role === 'admin');
    expect((await heard(asked)).map((item) => [item?.userId, item?.role])).toEqual([
      [member.id, 'owner'],
      [owner.id, 'admin'],
    ]);
    expect(await heard(plain)).toEqual([]);
    expect(await member.socket.ask('dropGroup', { groupId })).toMatchObject({ item: { groupId } });
  });

  test('loses a member here: the connections there are told that it is gone and hear no more; those who stay are told who went', async () => {
    const other = await newPerson(there);
    const groupId = await gather([owner, member, other]);
    const [removed, removedAsked] = [await deviceOf(there, member), await listener(member)];
    const [stays, asked] = [await deviceOf(there, other), await listener(other)];
    await remove(owner, groupId, member);
    for (const { socket } of [removed, removedAsked]) expect(await socket.broadcast('dropGroup')).toEqual({ groupId });
    expect(await stays.socket.broadcast('leaveGroup')).toMatchObject({ groupId, senderId: owner.id });
    const item = { companionId: null, groupId, userId: member.id, removedBy: owner.id };
    expect(await asked.socket.broadcast('memberRemoved')).toEqual(item);
    await writeToGroup(other, groupId, 'Among us');
    await writeToGroup(owner, groupId, 'Without you');
    await owner.socket.ask('updateGroup', { groupId, groupName: 'Ours' });
    await stays.socket.until((frame) => 'success' in frame && frame.params.item?.message === 'Without you');
    await write(owner, member, 'Goodbye');
    for (const person of [removed, removedAsked]) {
      await person.socket.broadcast('privateMessage');
      expect(person.socket.broadcasts.map(({ type }) => type)).toEqual(['dropGroup', 'privateMessage']);
    }
    expect(new Set(stays.socket.broadcasts.map(({ type }) => type))).toEqual(new Set(['leaveGroup', 'messageInGroup']));
  });

  test('loses a member over HTTP in the same way, and has the member back when it is added there', async () => {
    const groupId = await gather([owner, member]);
    const device = await deviceOf(there, member);
    const body = { messageId: crypto.randomUUID(), message: 'removed' };
    expect(await call(here, 'DELETE', `/groups/${groupId}/members/${member.id}`, { token: owner.token, body })).toMatchObject({
      status: 200,
    });
    expect(await device.socket.broadcast('dropGroup')).toEqual({ groupId });
    await add(await deviceOf(there, owner), groupId, member);
    await device.socket.broadcast('addUserInGroup');
    await writeToGroup(owner, groupId, 'Welcome back');
    expect(await device.socket.broadcast('messageInGroup')).toMatchObject({ message: 'Welcome back' });
  });
});
