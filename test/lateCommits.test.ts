import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groupTopic, userTopic } from '../src/realtime/topics.ts';
import { newDatabase } from './support/database.ts';
import { type DatabaseProxy, openProxy } from './support/databaseProxy.ts';
import { eventually } from './support/eventually.ts';
import { add, heard, newCircle, newPerson, type Person, remove, writeToGroup } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const types = ({ socket }: Person) => socket.broadcasts.map(({ type }) => type);

describe.skipIf(!isRedisInstalled)('A change of who is in a group that is heard after a later one, made on another server,', () => {
  let redis: RedisServer;
  let proxy: DatabaseProxy;
  /** The server whose database answers late. */
  let here: TestServer;
  let there: TestServer;
  let owner: Person;
  /** The same, where nothing is late. */
  let elsewhere: Person;
  beforeAll(async () => {
    redis = await RedisServer.start();
    const databaseUrl = await newDatabase();
    proxy = await openProxy(databaseUrl);
    here = await startServer({ REDIS_URL: redis.url }, proxy.url);
    there = await startServer({ REDIS_URL: redis.url }, databaseUrl);
    owner = await newPerson(here);
    elsewhere = { ...owner, socket: await connect(there, owner) };
  });
  afterAll(async () => {
    await Promise.all([here.app.stop(), there.app.stop()]);
    await proxy.close();
    await redis.stop();
  });

  test('who was added and then removed hears that, and nothing of the group', async () => {
    const bob = await newPerson(there);
    const groupId = await newCircle(here, [owner]);
    const held = proxy.holdCommit();
    const added = add(owner, groupId, bob);
    const release = await held;
    await remove(elsewhere, groupId, bob);
    release();
    await added;
    await writeToGroup(owner, groupId, 'Secret');
    await heard(bob);
    expect(types(bob)).toEqual(['dropGroup']);
  });

  test('who was removed and then added again hears the group', async () => {
    const bob = await newPerson(there);
    const groupId = await newCircle(here, [owner, bob]);
    await bob.socket.broadcast('addUserInGroup');
    const before = types(bob).length;
    const held = proxy.holdCommit();
    const removed = remove(owner, groupId, bob);
    const release = await held;
    await add(elsewhere, groupId, bob);
    release();
    await removed;
    await writeToGroup(owner, groupId, 'Welcome');
    await bob.socket.until((frame) => 'success' in frame && frame.params.item?.message === 'Welcome');
    expect(types(bob).slice(before)).toEqual(['addUserInGroup', 'messageInGroup']);
  });
});

describe.skipIf(!isRedisInstalled)('A change of who is in a group that comes when nothing is known of a later one', () => {
  let redis: RedisServer;
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    redis = await RedisServer.start();
    server = await startServer({ REDIS_URL: redis.url });
    [ann, bob] = [await newPerson(server), await newPerson(server)];
  });
  afterAll(async () => {
    await server.app.stop();
    await redis.stop();
  });
  const count = async () => (await heard(bob, 'messageInGroup')).length;

  test('does not let a stranger hear the group, whatever it says', async () => {
    const groupId = await newCircle(server, [ann]);
    await redis.publish(userTopic(bob.id), { kind: 'joined', groupId, seq: 1 });
    await eventually(async () => {
      const before = await count();
      await writeToGroup(ann, groupId, 'Secret');
      expect(await count()).toBe(before);
    });
  });

  test('leaves a member in it, who is told to catch up', async () => {
    const groupId = await newCircle(server, [ann, bob]);
    await bob.socket.ask('subscribe', { events: ['catchUp'] });
    await redis.publish(userTopic(bob.id), { kind: 'left', groupId, seq: 9 });
    await bob.socket.broadcast('catchUp');
    const before = await count();
    await writeToGroup(ann, groupId, 'Hello');
    expect(await count()).toBe(before + 1);
    expect(await redis.ask(`PUBSUB NUMSUB messenger:{${groupTopic(groupId).slice(-2)}}:${groupTopic(groupId)}`)).toContain(':1');
  });
});
