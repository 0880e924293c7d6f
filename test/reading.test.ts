import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { fillGroup } from './support/crowd.ts';
import { query } from './support/database.ts';
import { call, newUser } from './support/http.ts';
import { holdLock } from './support/lock.ts';
import { A_TIME, add, heard, leave, newCircle, newPerson, type Person, write, writeMany } from './support/people.ts';
import { chat, deviceOf, newReader, read, said } from './support/reading.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

describe('reading', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const remove = ({ token }: Person, { id }: Person) => call(server, 'DELETE', `/dialogs/${id}`, { token });

  describe('markRead in a dialog', () => {
    test('answers what is left, and tells the other person and my other devices, but not the connection that read', async () => {
      const [ann, bob] = [await newReader(server), await newReader(server)];
      const device = await deviceOf(bob, server);
      const ids = [await said(ann, bob), await said(ann, bob), await said(ann, bob)];
      const [, messageId = ''] = ids;
      expect(await bob.socket.ask('markRead', { receiverId: ann.id, messageId })).toEqual({
        item: { unreadCount: 1 },
        data: null,
        isBroadcast: false,
      });
      const event = { groupId: null, readerId: bob.id, messageId, seq: 2, readAt: A_TIME };
      expect(await heard(ann, 'messageRead')).toEqual([{ companionId: bob.id, ...event }]);
      expect(await heard(device, 'messageRead')).toEqual([{ companionId: ann.id, ...event }]);
      expect(await heard(bob, 'messageRead')).toEqual([]);
      expect(await chat(bob, { receiverId: ann.id })).toMatchObject({ unreadCount: 1, companionReadSeq: 3 });
      expect(await chat(ann, { receiverId: bob.id })).toMatchObject({ unreadCount: 0, companionReadSeq: 2 });
    });

    test('a connection that did not ask for it hears nothing', async () => {
      const [ann, bob] = [await newPerson(server), await newPerson(server)];
      const device = { ...bob, socket: await connect(server, bob) };
      await device.socket.ask('subscribe', { events: ['ownMessages', 'userTyping', 'messageEdited'] });
      const messageId = await said(ann, bob);
      await read(bob, { receiverId: ann.id }, messageId);
      expect(await heard(ann)).toEqual([]);
      expect(await heard(device, 'messageRead')).toEqual([]);
    });

    test('the mark never goes back, and what was read already is no news', async () => {
      const [ann, bob] = [await newReader(server), await newReader(server)];
      const [first, second] = [await said(ann, bob), await said(ann, bob)];
      for (const messageId of [second, second, first])
        expect(await read(bob, { receiverId: ann.id }, messageId)).toEqual({ unreadCount: 0 });
      expect(await chat(ann, { receiverId: bob.id })).toMatchObject({ companionReadSeq: 2 });
      expect(await heard(ann, 'messageRead')).toHaveLength(1);
    });

    test('of two marks that are set at once the later one stays, and it alone is told', async () => {
      const [ann, bob] = [await newReader(server), await newReader(server)];
      const device = await deviceOf(bob, server);
      const [first, second] = [await said(ann, bob), await said(ann, bob)];
      const lock = await holdLock(server.databaseUrl, 'SELECT FROM members WHERE user_id = $1 FOR UPDATE', [bob.id]);
      const later = read(bob, { receiverId: ann.id }, second);
      await lock.awaited(1);
      const earlier = read(device, { receiverId: ann.id }, first);
      await lock.awaited(2);
      await lock.release();
      await Promise.all([later, earlier]);
      expect(await chat(bob, { receiverId: ann.id })).toMatchObject({ unreadCount: 0 });
      expect(await heard(ann, 'messageRead')).toMatchObject([{ messageId: second }]);
    });

    test('who writes has read, and nobody is told so', async () => {
      const [ann, bob] = [await newReader(server), await newReader(server)];
      await writeMany(ann, bob, 3);
      const mine = await said(bob, ann);
      expect(await chat(bob, { receiverId: ann.id })).toMatchObject({ unreadCount: 0 });
      expect(await read(bob, { receiverId: ann.id }, mine)).toEqual({ unreadCount: 0 });
      expect(await chat(ann, { receiverId: bob.id })).toMatchObject({ unreadCount: 1, companionReadSeq: 4 });
      expect(await heard(ann, 'messageRead')).toEqual([]);
    });

    test('in the dialog with myself there is nothing to be read, nor to be told', async () => {
      const ann = await newReader(server);
      const device = await deviceOf(ann, server);
      const messageId = await said(ann, ann);
      expect(await chat(ann, { receiverId: ann.id })).toMatchObject({ unreadCount: 0, companionReadSeq: 1 });
      expect(await read(ann, { receiverId: ann.id }, messageId)).toEqual({ unreadCount: 0 });
      expect(await heard(device)).toEqual([]);
    });

    test('what I have deleted is neither unread nor there; the other person does not see that I deleted it unread', async () => {
      const [ann, bob] = [await newReader(server), await newReader(server)];
      const old = [await said(ann, bob), await said(ann, bob)];
      await read(bob, { receiverId: ann.id }, old[0] ?? '');
      await remove(bob, ann);
      expect(await chat(ann, { receiverId: bob.id })).toMatchObject({ companionReadSeq: 1 });
      for (const messageId of old) {
        expect(await bob.socket.fail('markRead', { receiverId: ann.id, messageId })).toMatchObject({ code: 'no_such_message' });
      }
      const fresh = [await said(ann, bob), await said(ann, bob)];
      expect(await chat(bob, { receiverId: ann.id })).toMatchObject({ unreadCount: 2 });
      expect(await read(bob, { receiverId: ann.id }, fresh[0] ?? '')).toEqual({ unreadCount: 1 });
      expect(await chat(ann, { receiverId: bob.id })).toMatchObject({ companionReadSeq: 3 });
    });

    test('what the other person has deleted with the dialog is told to my other devices alone, and what is written later to both', async () => {
      const [ann, bob] = [await newReader(server), await newReader(server)];
      const device = await deviceOf(bob, server);
      const old = await said(ann, bob);
      await remove(ann, bob);
      const fresh = await said(ann, bob);
      for (const messageId of [old, fresh]) await read(bob, { receiverId: ann.id }, messageId);
      expect(await heard(device, 'messageRead')).toMatchObject([{ messageId: old }, { messageId: fresh }]);
      expect(await heard(ann, 'messageRead')).toMatchObject([{ messageId: fresh }]);
    });
  });

  describe('markRead in a group', () => {
    test('tells every other member and my other devices, up to a hundred members', async () => {
      const people = [await newReader(server), await newReader(server), await newReader(server)] as const;
      const [ann, bob, carol] = people;
      const groupId = await newCircle(server, [...people]);
      await fillGroup(server, groupId, 100);
      const [device, stranger] = [await deviceOf(bob, server), await newReader(server)];
      const messageId = await said(ann, groupId);
      expect(await read(bob, { groupId }, messageId)).toEqual({ unreadCount: 0 });
      const event = { companionId: null, groupId, readerId: bob.id, messageId, seq: 4, readAt: A_TIME };
      for (const person of [ann, carol, device]) expect(await heard(person, 'messageRead')).toEqual([event]);
      for (const person of [bob, stranger]) expect(await heard(person, 'messageRead')).toEqual([]);
      expect(await chat(carol, { groupId })).toMatchObject({ unreadCount: 2, companionReadSeq: null, memberCount: 100 });
    });

    test('in a larger one tells of the others only who wrote it, as long as that is a member', async () => {
      const people = [await newReader(server), await newReader(server), await newReader(server)] as const;
      const [ann, bob, carol] = people;
      const groupId = await newCircle(server, [...people]);
      const [first, second] = [await said(carol, groupId), await said(ann, groupId)];
      await fillGroup(server, groupId, 101);
      const device = await deviceOf(bob, server);
      await read(bob, { groupId }, second);
      const event = { companionId: null, groupId, readerId: bob.id, messageId: second, seq: 5, readAt: A_TIME };
      for (const person of [ann, device]) expect(await heard(person, 'messageRead')).toEqual([event]);
      for (const person of [bob, carol]) expect(await heard(person, 'messageRead')).toEqual([]);
      await leave(carol, groupId);
      await fillGroup(server, groupId, 101);
      const latecomer = await newReader(server);
      await add(bob, groupId, latecomer);
      await query(server.databaseUrl, 'UPDATE members SET read_seq = 0 WHERE conversation_id = $1 AND user_id = $2', [
        groupId,
        latecomer.id,
      ]);
      await read(latecomer, { groupId }, first);
      expect(await heard(carol, 'messageRead')).toEqual([]);
    });

    test('my own message in a large group is told to nobody, for I have read it', async () => {
      const ann = await newReader(server);
      const groupId = await newCircle(server, [ann]);
      await fillGroup(server, groupId, 101);
      const device = await deviceOf(ann, server);
      expect(await read(ann, { groupId }, await said(ann, groupId))).toEqual({ unreadCount: 0 });
      expect(await heard(device, 'messageRead')).toEqual([]);
    });
  });

  describe('markRead refuses', () => {
    test('a message that is not there, is elsewhere, or is in a dialog that has not begun', async () => {
      const [ann, bob, carol] = [await newPerson(server), await newPerson(server), await newPerson(server)];
      const elsewhere = await said(carol, ann);
      await said(bob, ann);
      for (const [receiverId, messageId] of [
        [bob.id, randomUUID()],
        [bob.id, elsewhere],
        [ann.id, elsewhere],
        [randomUUID(), elsewhere],
      ]) {
        expect(await ann.socket.fail('markRead', { receiverId, messageId })).toMatchObject({ code: 'no_such_message' });
      }
    });

    test('a group that is not mine, or none, or a dialog by its hidden id', async () => {
      const [ann, bob] = [await newPerson(server), await newPerson(server)];
      const groupId = await newCircle(server, [bob]);
      const messageId = await said(bob, groupId);
      await write(bob, ann, 'Hello', messageId);
      for (const id of [groupId, randomUUID(), dialogId(ann.id, bob.id)]) {
        expect(await ann.socket.fail('markRead', { groupId: id, messageId })).toMatchObject({ code: 'not_a_member' });
      }
      await add(bob, groupId, ann);
      expect(await ann.socket.fail('markRead', { groupId, messageId: randomUUID() })).toMatchObject({ code: 'no_such_message' });
    });

    test('two conversations at once, and none', async () => {
      const { socket } = await newPerson(server);
      for (const name of [{}, { receiverId: randomUUID(), groupId: randomUUID() }]) {
        expect(await socket.fail('markRead', { ...name, messageId: randomUUID() })).toMatchObject({ code: 'invalid_params' });
      }
    });
  });

  describe('over HTTP', () => {
    const post = ({ token }: { token: string }, path: string, messageId: string) =>
      call(server, 'POST', path, { token, body: { messageId } });

    test('POST /dialogs/:userId/read answers what is left and tells the other person, and all of my connections', async () => {
      const [ann, bob] = [await newReader(server), await newReader(server)];
      const messageId = await said(ann, bob);
      await said(ann, bob);
      expect(await post(bob, `/dialogs/${ann.id}/read`, messageId)).toMatchObject({ status: 200, body: { data: { unreadCount: 1 } } });
      for (const person of [ann, bob]) expect(await heard(person, 'messageRead')).toMatchObject([{ readerId: bob.id, messageId }]);
      expect(await post(bob, `/dialogs/${ann.id}/read`, randomUUID())).toMatchObject({ status: 404, body: { code: 'no_such_message' } });
    });

    test('POST /groups/:groupId/read does the same in a group', async () => {
      const [ann, bob] = [await newReader(server), await newReader(server)];
      const groupId = await newCircle(server, [ann, bob]);
      const messageId = await said(ann, groupId);
      expect(await post(bob, `/groups/${groupId}/read`, messageId)).toMatchObject({ status: 200, body: { data: { unreadCount: 0 } } });
      expect(await heard(ann, 'messageRead')).toMatchObject([{ readerId: bob.id, messageId, groupId }]);
      expect(await post(bob, `/groups/${groupId}/read`, randomUUID())).toMatchObject({ status: 404, body: { code: 'no_such_message' } });
      const stranger = await newUser(server);
      expect(await post(stranger, `/groups/${groupId}/read`, messageId)).toMatchObject({ status: 403, body: { code: 'not_a_member' } });
    });
  });
});

describe.skipIf(!isRedisInstalled)('reading, with two servers on one database and Redis', () => {
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

  test('what I read here is told there: to the other person, to my other device, and to none who did not ask', async () => {
    const [ann, bob] = [await newReader(there), await newReader(here)];
    const device = await deviceOf(bob, there);
    const silent = [ann, bob].map(async (person) => ({ ...person, socket: await connect(there, person) }));
    const messageId = await said(ann, bob);
    await read(bob, { receiverId: ann.id }, messageId);
    expect(await ann.socket.broadcast('messageRead')).toMatchObject({ companionId: bob.id, readerId: bob.id, messageId });
    expect(await device.socket.broadcast('messageRead')).toMatchObject({ companionId: ann.id, readerId: bob.id, messageId });
    for (const person of await Promise.all(silent)) expect(await heard(person, 'messageRead')).toEqual([]);
    expect(await heard(bob, 'messageRead')).toEqual([]);
  });

  test('in a group it reaches the members there; in a large one only who wrote it', async () => {
    const [ann, bob, carol] = [await newReader(there), await newReader(here), await newReader(there)];
    const groupId = await newCircle(there, [ann, bob, carol]);
    await read(bob, { groupId }, await said(ann, groupId));
    for (const { socket } of [ann, carol]) expect(await socket.broadcast('messageRead')).toMatchObject({ groupId, seq: 4 });
    await fillGroup(here, groupId, 101);
    await read(bob, { groupId }, await said(ann, groupId));
    await ann.socket.until((frame) => 'success' in frame && frame.params.item?.seq === 5);
    await write(ann, carol, 'the last thing that is told');
    await carol.socket.broadcast('privateMessage');
    expect(await heard(carol, 'messageRead')).toHaveLength(1);
  });
});
