import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { query } from './support/database.ts';
import { call, newUser } from './support/http.ts';
import { A_TIME, deviceOf, heard, leave, NEWEST, newPerson, type Person, placeAt, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

describe('newGroup', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  /** Three people who have heard nothing yet. */
  async function meet(): Promise<void> {
    [ann, bob, carol] = [await newPerson(server, 'Ann', 'Archer'), await newPerson(server), await newPerson(server)];
  }
  async function found({ socket }: Person, params: object): Promise<string> {
    const { item } = await socket.ask('newGroup', { groupName: 'Friends', ...params });
    return String(item?.groupId);
  }
  const stored = (groupId: string) =>
    query(server.databaseUrl, 'SELECT name, member_count, last_seq FROM conversations WHERE id = $1', [groupId]);
  const membersOf = async ({ socket }: Person, groupId: string) =>
    (await socket.rows('getGroupMembers', { groupId, limit: 100, cursor: null })).map(({ userId, role }) => ({ userId, role }));

  test('makes a group that I own, under ids of the server, with those whom I name', async () => {
    await meet();
    const answer = await ann.socket.ask('newGroup', { groupName: 'Friends of tea', userIds: [bob.id, carol.id] });
    const groupId = String(answer.item?.groupId);
    expect(answer).toEqual({ item: { groupId: expect.any(String), groupName: 'Friends of tea' }, data: null, isBroadcast: false });
    const [first, ...others] = await membersOf(bob, groupId);
    expect(first).toEqual({ userId: ann.id, role: 'owner' });
    expect(new Set(others)).toEqual(new Set([bob, carol].map(({ id: userId }) => ({ userId, role: 'member' }))));
    expect(await stored(groupId)).toEqual([{ name: 'Friends of tea', member_count: 3, last_seq: '1' }]);
    expect(await carol.socket.rows('getlatestMessageGroup', { groupId, ...NEWEST })).toMatchObject([
      { notification: true, senderId: ann.id, content: 'created the group', groupName: 'Friends of tea', ...placeAt(1) },
    ]);
  });

  test('tells those who were named, on each of their connections, as if they had been added; and nobody else', async () => {
    await meet();
    const [bobsOther, annsOther, stranger] = [await connect(server, bob), await connect(server, ann), await newPerson(server)];
    const messageId = randomUUID();
    const groupId = await found(ann, { userIds: [bob.id], messageId, message: 'Welcome' });
    const item = {
      groupId,
      groupName: 'Friends',
      messageId,
      message: 'Welcome',
      senderId: ann.id,
      senderName: 'Ann',
      senderLastName: 'Archer',
      notification: true,
      replyTo: null,
      ...placeAt(1),
    };
    for (const { socket } of [bob, { socket: bobsOther }]) {
      await socket.settle();
      expect(socket.broadcasts.map(({ type, params }) => ({ type, item: params.item }))).toEqual([{ type: 'addUserInGroup', item }]);
    }
    for (const person of [ann, { socket: annsOther }, stranger, carol]) expect(await heard(person)).toEqual([]);
  });

  test('lets those who were named, and me on every connection, hear the group from then on', async () => {
    await meet();
    const annsOther = await deviceOf(server, ann);
    const groupId = await found(ann, { userIds: [bob.id] });
    await writeToGroup(bob, groupId, 'Thank you');
    for (const { socket } of [ann, annsOther]) expect(await socket.broadcast('messageInGroup')).toMatchObject({ message: 'Thank you' });
    await writeToGroup(ann, groupId, 'Hello');
    expect(await bob.socket.broadcast('messageInGroup')).toMatchObject({ message: 'Hello' });
  });

  test('is told to those of my other connections that ask for what I do', async () => {
    await meet();
    const device = await deviceOf(server, ann, ['ownMessages']);
    const groupId = await found(ann, { userIds: [bob.id], message: 'Welcome' });
    const item = await bob.socket.broadcast('addUserInGroup');
    expect(await heard(device)).toEqual([{ ...item, companionId: null, groupId }]);
    expect(await heard(ann)).toEqual([]);
  });

  test('counts its notification as unread for those who were named, and not for me', async () => {
    await meet();
    const groupId = await found(ann, { userIds: [bob.id] });
    for (const [{ socket }, unreadCount] of [
      [ann, 0],
      [bob, 1],
    ] as const) {
      expect(await socket.rows('listLastMessage', NEWEST)).toMatchObject([{ groupId, unreadCount, memberCount: 2 }]);
    }
  });

  test('takes me and those who are named twice once', async () => {
    await meet();
    const groupId = await found(ann, { userIds: [bob.id, ann.id, bob.id.toUpperCase(), bob.id] });
    expect(await membersOf(ann, groupId)).toEqual([
      { userId: ann.id, role: 'owner' },
      { userId: bob.id, role: 'member' },
    ]);
    expect(await heard(bob)).toHaveLength(1);
    expect(await stored(groupId)).toMatchObject([{ member_count: 2 }]);
  });

  test('with somebody who does not exist, or no more, makes nothing and tells nobody', async () => {
    await meet();
    const gone = await newUser(server);
    await call(server, 'DELETE', '/profile', gone);
    for (const userId of [randomUUID(), gone.id]) {
      const groupId = randomUUID();
      const failure = await ann.socket.fail('newGroup', {
        groupId,
        groupName: 'Friends',
        userIds: [bob.id, ann.id, bob.id, userId, userId],
      });
      const issues = [{ path: 'userIds.3', message: 'is no user' }];
      expect(failure).toMatchObject({ code: 'no_such_user', message: 'There is no such user', issues });
      expect(await stored(groupId)).toEqual([]);
    }
    expect(await heard(bob)).toEqual([]);
  });

  test('again with the same groupId changes nothing, tells nobody again, and gives the same answer; also many at once', async () => {
    await meet();
    const params = { groupId: randomUUID(), groupName: 'Friends', userIds: [bob.id] };
    const requests = [params, params, params].map((params) => ann.socket.ask('newGroup', params));
    const answers = await Promise.all([...requests, ann.socket.ask('newGroup', { ...params, userIds: [bob.id, carol.id] })]);
    for (const answer of answers) expect(answer).toMatchObject({ item: { groupId: params.groupId, groupName: 'Friends' } });
    expect(await heard(bob)).toHaveLength(1);
    expect(await heard(carol)).toEqual([]);
    expect(await stored(params.groupId)).toEqual([{ name: 'Friends', member_count: 2, last_seq: '1' }]);
  });

  test('again answers with the name that the group has now, but not to who has left it', async () => {
    await meet();
    const groupId = randomUUID();
    await found(ann, { groupId, userIds: [bob.id] });
    await ann.socket.ask('updateGroup', { groupId, groupName: 'Renamed' });
    const again = async () => (await ann.socket.ask('newGroup', { groupId, groupName: 'Friends' })).item?.groupName;
    expect(await again()).toBe('Renamed');
    await leave(ann, groupId);
    expect(await again()).toBe('Friends');
    expect(await ann.socket.fail('getlatestMessageGroup', { groupId, ...NEWEST })).toMatchObject({ code: 'not_a_member' });
  });

  test('with the groupId of somebody else is refused, for those in that group too', async () => {
    await meet();
    const groupId = randomUUID();
    await found(ann, { groupId, userIds: [bob.id] });
    for (const { socket } of [bob, carol]) {
      expect(await socket.fail('newGroup', { groupId, groupName: 'Mine' })).toMatchObject({ code: 'group_id_taken' });
    }
  });

  test('is the same as POST /groups: what one has made, the other finds', async () => {
    await meet();
    const groupId = randomUUID();
    await found(ann, { groupId, userIds: [bob.id] });
    const body = { groupId, groupName: 'Friends', notificationMessage: 'created', messageId: randomUUID() };
    expect(await call(server, 'POST', '/groups', { token: ann.token, body })).toMatchObject({ status: 200 });
    expect(await call(server, 'POST', '/groups', { token: bob.token, body })).toMatchObject({ status: 409 });
    expect(await stored(groupId)).toMatchObject([{ member_count: 2, last_seq: '1' }]);
  });

  test('is the same over HTTP: who is named is in it, and told as if they had been added', async () => {
    await meet();
    const body = { groupId: randomUUID(), groupName: 'Friends', notificationMessage: 'Welcome', messageId: randomUUID() };
    const post = (userIds: string[]) => call(server, 'POST', '/groups', { token: ann.token, body: { ...body, userIds } });
    // The list of what is wrong comes with 400 alone.
    expect(await post([randomUUID()])).toMatchObject({ status: 404, body: { code: 'no_such_user' } });
    expect((await post([randomUUID()])).body).not.toHaveProperty('errors');
    expect(await post([bob.id, bob.id, ann.id])).toMatchObject({ status: 200 });
    expect(await bob.socket.broadcast('addUserInGroup')).toMatchObject({ groupId: body.groupId, message: 'Welcome', senderId: ann.id });
    expect(await post([carol.id])).toMatchObject({ status: 200 });
    expect(await heard(carol)).toEqual([]);
    expect(await membersOf(bob, body.groupId)).toEqual([
      { userId: ann.id, role: 'owner' },
      { userId: bob.id, role: 'member' },
    ]);
  });

  test.each([
    ['no name', { groupName: undefined }, 'groupName'],
    ['101 people', { userIds: Array.from({ length: 101 }, () => randomUUID()) }, 'userIds'],
    ['somebody who has no id', { userIds: ['bob'] }, 'userIds.0'],
    ['an id that a dialog could have', { groupId: dialogId(randomUUID(), randomUUID()) }, 'groupId'],
    ['an empty message', { message: '' }, 'message'],
  ])('with %s is refused', async (_what, wrong, path) => {
    await meet();
    const failure = await ann.socket.fail('newGroup', { groupName: 'Friends', ...wrong });
    expect(failure).toMatchObject({ code: 'invalid_params', issues: [{ path }] });
  });

  test('with 100 people is one that all of them hear', async () => {
    await meet();
    const users = await Promise.all(Array.from({ length: 99 }, () => newUser(server)));
    const groupId = await found(ann, { userIds: [...users.map(({ id }) => id), bob.id] });
    expect(await stored(groupId)).toMatchObject([{ member_count: 101 }]);
    expect(await bob.socket.broadcast('addUserInGroup')).toMatchObject({ groupId, createdAt: A_TIME });
  });
});
