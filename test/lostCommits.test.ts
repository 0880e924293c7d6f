import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newDatabase } from './support/database.ts';
import { type DatabaseProxy, openProxy } from './support/databaseProxy.ts';
import { eventually } from './support/eventually.ts';
import { handshake } from './support/handshake.ts';
import { call, logIn } from './support/http.ts';
import { add, deviceOf, heard, leave, NEWEST, newCircle, newPerson, type Person, remove, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const PRIVATE = ({ id: receiverId }: Person) => ['privateMessage', 'getlatestMessageDialog', { receiverId }] as const;
const IN_GROUP = (groupId: string) => ['messageInGroup', 'getlatestMessageGroup', { groupId }] as const;

describe('When nobody can say whether a change is committed', () => {
  let proxy: DatabaseProxy;
  let server: TestServer;
  beforeAll(async () => {
    proxy = await openProxy(await newDatabase());
    server = await startServer({}, proxy.url);
  });
  afterAll(async () => {
    await server.app.stop();
    await proxy.close();
  });

  test.each(['dialog', 'group'])(
    'that a message was sent in a %s, those who would have heard it are told to catch up; repeating it succeeds',
    async (kind) => {
      const [ann, bob] = [await newPerson(server), await newPerson(server)];
      const groupId = await newCircle(server, [ann, bob]);
      await write(ann, bob, 'Before');
      const events = ['catchUp', 'ownMessages'];
      const listeners = [await deviceOf(server, bob, events), await deviceOf(server, ann, events)];
      const [type, page, name] = kind === 'dialog' ? PRIVATE(bob) : IN_GROUP(groupId);
      const messageId = randomUUID();
      const lost = proxy.loseCommit();
      // The statement commits by itself: this is what the proxy knows it by.
      const params = { ...name, messageId, content: 'COMMIT' };
      expect(await ann.socket.fail(type, params)).toMatchObject({ code: 'unavailable' });
      await lost;
      for (const { socket } of listeners) await socket.broadcast('catchUp');
      const stored = async () => (await ann.socket.rows(page, { ...name, ...NEWEST })).map((row) => row.messageId);
      await eventually(async () => expect(await stored()).toContain(messageId));
      await ann.socket.ask(type, params);
      expect((await stored()).filter((id) => id === messageId)).toHaveLength(1);
    },
  );

  test('that I left a group, my connections end, and the next ones do not hear the group', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob]);
    const other = await connect(server, bob);
    const closings = [bob.socket.closed(), other.closed()];
    const messageId = randomUUID();
    const lost = proxy.loseCommit();
    // The connection ends before there is an answer.
    bob.socket.send({ type: 'leaveGroup', params: { groupId, messageId, message: 'left' } });
    await lost;
    for (const { code } of await Promise.all(closings)) expect(code).toBe(1012);
    const again = { ...bob, socket: await connect(server, bob) };
    await writeToGroup(ann, groupId, 'Secret');
    expect(await heard(again)).toEqual([]);
    expect(await leave(again, groupId, messageId)).toMatchObject({ item: { groupId } });
  });

  test('that somebody was added to a group, that user connects again and hears the group; repeating it succeeds', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann]);
    const closing = bob.socket.closed();
    const messageId = randomUUID();
    const lost = proxy.loseCommit();
    const failure = await ann.socket.fail('addUserInGroup', { groupId, userId: bob.id, messageId, message: 'added' });
    expect(failure).toMatchObject({ error: true, code: 'unavailable' });
    await lost;
    expect((await closing).code).toBe(1012);
    const again = { ...bob, socket: await connect(server, bob) };
    expect(await add(ann, groupId, bob, messageId)).toMatchObject({ item: { groupId } });
    await writeToGroup(ann, groupId, 'Welcome');
    expect(await heard(again, 'messageInGroup')).toMatchObject([{ message: 'Welcome' }]);
  });

  test('that a group was made, those in it connect again and hear it; repeating it succeeds', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const closings = [ann.socket.closed(), bob.socket.closed()];
    const params = { groupId: randomUUID(), groupName: 'Friends', userIds: [bob.id] };
    const lost = proxy.loseCommit();
    ann.socket.send({ type: 'newGroup', params });
    await lost;
    for (const { code } of await Promise.all(closings)) expect(code).toBe(1012);
    const [annAgain, bobAgain] = [
      { ...ann, socket: await connect(server, ann) },
      { ...bob, socket: await connect(server, bob) },
    ];
    expect(await annAgain.socket.ask('newGroup', params)).toMatchObject({ item: { groupId: params.groupId } });
    await writeToGroup(annAgain, params.groupId, 'Welcome');
    expect(await heard(bobAgain, 'messageInGroup')).toMatchObject([{ message: 'Welcome' }]);
  });

  test('that somebody was removed from a group, that user connects again and does not hear it; repeating it succeeds', async () => {
    const [ann, bob, carol] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob, carol]);
    await carol.socket.ask('subscribe', { events: ['catchUp'] });
    const closing = bob.socket.closed();
    const messageId = randomUUID();
    const lost = proxy.loseCommit();
    const params = { groupId, userId: bob.id, messageId, message: 'removed' };
    expect(await ann.socket.fail('removeUserFromGroup', params)).toMatchObject({ code: 'unavailable' });
    await lost;
    expect((await closing).code).toBe(1012);
    const again = { ...bob, socket: await connect(server, bob) };
    expect(await remove(ann, groupId, bob, messageId)).toMatchObject({ item: { groupId } });
    await carol.socket.broadcast('catchUp');
    await writeToGroup(ann, groupId, 'Secret');
    expect(await heard(again)).toEqual([]);
  });

  test.each([
    ['renamed', 'updateGroup', () => ({ groupName: 'Renamed' })],
    ['handed over', 'setGroupRole', ({ id }: Person) => ({ userId: id, role: 'owner' })],
  ])('that a group was %s, who asked for it is told to catch up; repeating it succeeds', async (_what, type, change) => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob]);
    await bob.socket.ask('subscribe', { events: ['catchUp', 'groupUpdated', 'roleChanged'] });
    const lost = proxy.loseCommit();
    expect(await ann.socket.fail(type, { groupId, ...change(bob) })).toMatchObject({ code: 'unavailable' });
    await lost;
    await bob.socket.broadcast('catchUp');
    expect(await ann.socket.ask(type, { groupId, ...change(bob) })).toMatchObject({ item: change(bob) });
  });

  test('that my password was changed, my connections end, and other sessions do not come back', async () => {
    const ann = await newPerson(server);
    const other = await logIn(server, ann);
    const otherSocket = await connect(server, other);
    const closings = [ann.socket.closed(), otherSocket.closed()];
    const lost = proxy.loseCommit();
    const body = { oldPassword: ann.password, newPassword: 'another password' };
    expect((await call(server, 'PATCH', '/profile/password', { token: ann.token, body })).status).toBe(503);
    await lost;
    for (const { code } of await Promise.all(closings)) expect(code).toBe(1012);
    expect(await handshake(server, { headers: { authorization: `Bearer ${other.token}` } })).toMatchObject({ status: 401 });
    const again = await connect(server, ann);
    await again.close();
  });

  test('that my account was deleted, my connections end and do not come back, and who is in a group of mine is told to catch up', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await newCircle(server, [ann, bob]);
    await bob.socket.ask('subscribe', { events: ['catchUp'] });
    const closed = ann.socket.closed();
    const lost = proxy.loseCommit();
    expect((await call(server, 'DELETE', '/profile', { token: ann.token })).status).toBe(503);
    await lost;
    expect((await closed).code).toBe(1012);
    expect(await handshake(server, { headers: { authorization: `Bearer ${ann.token}` } })).toMatchObject({ status: 401 });
    await bob.socket.broadcast('catchUp');
  });
});
