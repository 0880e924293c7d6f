import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { query } from './support/database.ts';
import { call, logIn, newGroup, newUser, type TestUser } from './support/http.ts';
import { holdLock } from './support/lock.ts';
import { newPerson, placeAt, UNCHANGED, write } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect, type Socket } from './support/socket.ts';

const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };
const NEWEST = { limit: 100, cursorCreatedAt: null };
const DELETED = { senderName: 'Deleted', senderLastName: 'account' };
const found = z.object({ data: z.array(z.looseObject({ userId: z.string().nullable() })) });

describe('a deleted account', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const remove = ({ token }: { token: string }, path = '/profile') => call(server, 'DELETE', path, { token });
  const send = (socket: Socket, receiver: TestUser, content: string) =>
    socket.ask('privateMessage', { messageId: randomUUID(), receiverId: receiver.id, content });
  const admit = (socket: Socket, groupId: string, user: TestUser) =>
    socket.ask('addUserInGroup', { groupId, userId: user.id, messageId: randomUUID(), message: 'added' });

  test.each(['/profile', '/profile/destroy'])('by DELETE %s is gone: all its sessions and connections end at once', async (path) => {
    const user = await newUser(server);
    const other = await logIn(server, user);
    const sockets = [await connect(server, user), await connect(server, other), await connect(server, other)];
    const ends = sockets.map((socket) => socket.closed());
    expect(await remove(user, path)).toMatchObject({ status: 200, body: { message: expect.any(String) } });
    expect(await Promise.all(ends)).toEqual([UNAUTHORIZED, UNAUTHORIZED, UNAUTHORIZED]);
    for (const session of [user, other]) {
      expect((await call(server, 'GET', '/profile', { token: session.token })).status).toBe(401);
      await expect(connect(server, session)).rejects.toThrow('401');
    }
    const { email, password } = user;
    expect((await call(server, 'POST', '/auth/login', { body: { email, password } })).status).toBe(400);
  });

  test('does not go when the request is not understood', async () => {
    const { token } = await newUser(server);
    expect((await call(server, 'DELETE', '/profile', { token, body: { id: randomUUID() } })).status).toBe(400);
    expect((await call(server, 'GET', '/profile', { token })).status).toBe(200);
  });

  test('leaves its e-mail to whoever registers next, who is somebody else', async () => {
    const old = await newUser(server, 'Old', 'Owner');
    await remove(old);
    const body = { firstName: 'New', lastName: 'Owner', email: old.email.toUpperCase(), password: 'another password' };
    expect((await call(server, 'POST', '/auth/register', { body })).status).toBe(201);
    const { id } = await logIn(server, body);
    expect(id).not.toBe(old.id);
    expect((await call(server, 'POST', '/auth/login', { body: { email: old.email, password: old.password } })).status).toBe(400);
  });

  test('is found by no search, neither under its name nor as a deleted one', async () => {
    const [searcher, user] = [await newUser(server), await newUser(server, 'Vanishing', 'Lady')];
    const groupId = await newGroup(server, searcher);
    const search = async (path: string) => found.parse((await call(server, 'GET', path, searcher)).body).data.map(({ userId }) => userId);
    const paths = ['Vanishing', 'Lady', 'Deleted', 'account', user.email].flatMap((text) => {
      const searchText = encodeURIComponent(text);
      return [`/search?searchText=${searchText}`, `/search/users?searchText=${searchText}&groupId=${groupId}`];
    });
    expect((await Promise.all(paths.map(search))).flat().filter((id) => id === user.id)).toHaveLength(6);
    await remove(user);
    expect(await Promise.all(paths.map(search))).toEqual(paths.map(() => []));
  });

  test('keeps its messages readable, in dialogs and groups, under the name Deleted account', async () => {
    const [ann, bob] = [await newUser(server), await newUser(server, 'Bob', 'Baker')];
    const [annSocket, bobSocket] = [await connect(server, ann), await connect(server, bob)];
    const groupId = await newGroup(server, ann);
    await admit(annSocket, groupId, bob);
    await send(annSocket, bob, 'To Bob');
    await send(bobSocket, ann, 'From Bob');
    await bobSocket.ask('messageInGroup', { messageId: randomUUID(), groupId, content: 'To all' });
    await remove(bob);
    expect(await annSocket.rows('getlatestMessageDialog', { receiverId: bob.id, ...NEWEST })).toMatchObject([
      { content: 'From Bob', senderId: bob.id, senderName: 'Deleted' },
      { content: 'To Bob', receiverId: bob.id, receiverName: 'Deleted' },
    ]);
    const rows = await annSocket.rows('getlatestMessageGroup', { groupId, ...NEWEST });
    expect(rows.find(({ content }) => content === 'To all')).toMatchObject({ senderId: bob.id, ...DELETED });
    const chats = await annSocket.rows('listLastMessage', NEWEST);
    expect(chats.find(({ content }) => content === 'From Bob')).toMatchObject({ senderId: bob.id, ...DELETED });
  });

  test('receives no more: sends to it are refused, and so is adding it to a group', async () => {
    const [ann, bob] = [await newUser(server), await newUser(server)];
    const socket = await connect(server, ann);
    const groupId = await newGroup(server, ann);
    await send(socket, bob, 'Before');
    await remove(bob);
    const refused = { message: 'There is no such user', code: 'no_such_user' };
    const content = 'After';
    expect(await socket.fail('privateMessage', { messageId: randomUUID(), receiverId: bob.id, content })).toMatchObject(refused);
    const addition = { groupId, userId: bob.id, messageId: randomUUID(), message: 'added' };
    expect(await socket.fail('addUserInGroup', addition)).toMatchObject(refused);
    expect(await socket.rows('getlatestMessageDialog', { receiverId: bob.id, ...NEWEST })).toMatchObject([{ content: 'Before' }]);
  });

  const stateOf = (userId: string) =>
    query(
      server.databaseUrl,
      `SELECT to_jsonb(message) AS message, to_jsonb(member) AS member,
         (SELECT jsonb_agg(to_jsonb(reaction)) FROM reactions reaction WHERE reaction.user_id = $1) AS reactions
       FROM members member JOIN messages message USING (conversation_id)
       WHERE member.user_id = $1
       ORDER BY message.created_at`,
      [userId],
    );

  test('does nothing more in its dialogs on a connection to another server that has not heard of its end', async () => {
    const there = await startServer({}, server.databaseUrl);
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const [mine, theirs] = [randomUUID(), randomUUID()];
    await write(ann, bob, 'Mine', mine);
    await write(bob, ann, 'Theirs', theirs);
    await ann.socket.ask('addReaction', { receiverId: bob.id, messageId: theirs, emoji: '👍' });
    expect((await call(there, 'DELETE', '/profile', { token: ann.token })).status).toBe(200);
    await there.app.stop();
    const before = await stateOf(ann.id);
    for (const [type, params] of [
      ['editMessage', { messageId: mine, content: 'Edited' }],
      ['deleteMessage', { messageId: mine }],
      ['addReaction', { messageId: theirs, emoji: '😀' }],
      ['removeReaction', { messageId: theirs, emoji: '👍' }],
      ['markRead', { messageId: theirs }],
      ['updateChat', { muted: true }],
      ['startTyping', {}],
      ['stopTyping', {}],
    ] as const) {
      const { code } = await ann.socket.fail(type, { receiverId: bob.id, ...params });
      expect({ type, code }).toEqual({ type, code: 'unauthorized' });
    }
    expect(await stateOf(ann.id)).toEqual(before);
  });

  test('does not change a message by what it asked for just before', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const messageId = randomUUID();
    await write(ann, bob, 'Mine', messageId);
    const lock = await holdLock(server.databaseUrl, 'SELECT FROM conversations WHERE id = $1 FOR UPDATE', [dialogId(ann.id, bob.id)]);
    const edit = call(server, 'PATCH', `/dialogs/${bob.id}/messages/${messageId}`, { token: ann.token, body: { content: 'Edited' } });
    await lock.awaited(1);
    expect((await remove(ann)).status).toBe(200);
    await lock.release();
    expect(await edit).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    expect(await stateOf(ann.id)).toMatchObject([{ message: { content: 'Mine' } }]);
  });

  test('leaves every group as by leaveGroup: those who stay are told, and see it in the history', async () => {
    const [ann, bob, cid] = [await newUser(server), await newUser(server), await newUser(server)];
    const [annSocket, cidSocket] = [await connect(server, ann), await connect(server, cid)];
    const groups = [await newGroup(server, ann, 'One'), await newGroup(server, ann, 'Two')];
    for (const groupId of groups) {
      await admit(annSocket, groupId, bob);
      await admit(annSocket, groupId, cid);
    }
    const bobSocket = await connect(server, bob);
    const closed = bobSocket.closed();
    await remove(bob);
    await closed;
    for (const socket of [annSocket, cidSocket]) {
      await socket.settle();
      const told = socket.broadcasts.filter(({ type }) => type === 'leaveGroup').map(({ params }) => params.item);
      expect(told).toHaveLength(2);
      expect(new Set(told.map((item) => item?.groupId))).toEqual(new Set(groups));
      for (const item of told) {
        expect(item).toEqual({
          ...DELETED,
          groupId: expect.any(String),
          groupName: expect.stringMatching(/^(One|Two)$/),
          messageId: expect.any(String),
          message: expect.stringMatching(/./),
          senderId: bob.id,
          notification: true,
          replyTo: null,
          ...placeAt(4),
        });
        const [newest] = await socket.rows('getlatestMessageGroup', { groupId: item?.groupId, limit: 1, cursorCreatedAt: null });
        const { message: content, ...rest } = item ?? {};
        expect(newest).toEqual({ ...UNCHANGED, ...rest, content });
      }
    }
    expect(bobSocket.broadcasts.filter(({ type }) => type === 'leaveGroup')).toEqual([]);
  });

  test('passes its groups on to the longest-standing member; a group that was its own alone is dropped', async () => {
    const [owner, heir, junior] = [await newUser(server), await newUser(server), await newUser(server)];
    const ownerSocket = await connect(server, owner);
    const [shared, lonely] = [await newGroup(server, owner), await newGroup(server, owner)];
    await admit(ownerSocket, shared, heir);
    await admit(ownerSocket, shared, junior);
    await remove(owner);
    const [heirSocket, juniorSocket] = [await connect(server, heir), await connect(server, junior)];
    expect(await juniorSocket.fail('dropGroup', { groupId: shared })).toMatchObject({ code: 'not_the_owner' });
    expect(await heirSocket.ask('dropGroup', { groupId: shared })).toMatchObject({ item: { groupId: shared } });
    const body = { groupId: lonely, groupName: 'Mine', notificationMessage: 'created', messageId: randomUUID() };
    expect((await call(server, 'POST', '/groups', { token: heir.token, body })).status).toBe(409);
  });

  /** How many statements change conversations, their members and messages while this is done. */
  async function countChanges(work: () => Promise<unknown>): Promise<number> {
    const tables = ['conversations', 'members', 'messages'];
    const count = `CREATE TABLE changes (); CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO changes DEFAULT VALUES; RETURN NULL; END'`;
    const each = 'AFTER INSERT OR UPDATE OR DELETE';
    await query(server.databaseUrl, count);
    for (const table of tables)
      await query(server.databaseUrl, `CREATE TRIGGER note_change ${each} ON ${table} EXECUTE FUNCTION note_change()`);
    await work();
    const { length } = await query(server.databaseUrl, 'SELECT FROM changes');
    await query(server.databaseUrl, 'DROP FUNCTION note_change CASCADE');
    await query(server.databaseUrl, 'DROP TABLE changes');
    return length;
  }

  test('leaves many groups with as many statements as one, so that nobody waits long who writes into them', async () => {
    const [heir, junior] = [await newPerson(server), await newPerson(server)];
    const ownerOf = async (count: number) => {
      const owner = await newPerson(server);
      const userIds = [heir.id, junior.id];
      const made = Array.from({ length: count }, () => owner.socket.ask('newGroup', { groupName: 'Many', userIds }));
      const groupIds = (await Promise.all(made)).map(({ item }) => item?.groupId);
      await owner.socket.ask('newGroup', { groupName: 'Mine' });
      return { owner, groupIds };
    };
    const [one, many] = [await ownerOf(1), await ownerOf(30)];
    const expected = await countChanges(() => remove(one.owner));
    expect(await countChanges(() => remove(many.owner))).toBe(expected);
    const first = [heir.id, junior.id].sort()[0];
    const roles = await query(server.databaseUrl, 'SELECT user_id, role FROM members WHERE conversation_id = ANY ($1)', [many.groupIds]);
    expect(roles.filter(({ role }) => role === 'owner')).toEqual(many.groupIds.map(() => ({ user_id: first, role: 'owner' })));
    const groups = 'SELECT member_count, deleted_at IS NULL AS exists FROM conversations WHERE creator_id = $1 ORDER BY 1';
    expect(await query(server.databaseUrl, groups, [many.owner.id])).toEqual([
      { member_count: 0, exists: false },
      ...many.groupIds.map(() => ({ member_count: 2, exists: true })),
    ]);
  });
});
