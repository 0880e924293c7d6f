import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { query } from './support/database.ts';
import { call, newGroup, newUser, type TestUser } from './support/http.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect, type Socket } from './support/socket.ts';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const NOT_A_MEMBER = { message: 'User is not a member of this group', code: 'not_a_member' };

/** Somebody with an open connection. */
interface Person extends TestUser {
  socket: Socket;
}

describe('groups', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  async function people(count: number): Promise<Person[]> {
    const users = await Promise.all(Array.from({ length: count }, (_, index) => newUser(server, `P${index}`, index % 2 ? null : 'Last')));
    return Promise.all(users.map(async (user) => ({ ...user, socket: await connect(server, user) })));
  }
  const add = (by: Person, groupId: string, user: { id: string }, messageId: string = randomUUID()) =>
    by.socket.request('addUserInGroup', { groupId, userId: user.id, messageId, message: 'added' });
  const leave = (by: Person, groupId: string) => by.socket.request('leaveGroup', { groupId, messageId: randomUUID(), message: 'left' });
  const say = (by: Person, groupId: string, content = 'Hello') =>
    by.socket.request('messageInGroup', { messageId: randomUUID(), groupId, content });
  const history = (by: Person, groupId: string) => by.socket.rows('getlatestMessageGroup', { groupId, limit: 100, cursorCreatedAt: null });
  const heard = ({ socket }: Person) => socket.broadcasts.map(({ type }) => type);

  /** A group of the given people, the first of whom owns it; nobody has heard anything yet. */
  async function groupOf(owner: Person, ...others: Person[]): Promise<string> {
    const groupId = await newGroup(server, owner);
    for (const other of others) await add(owner, groupId, other);
    for (const { socket } of [owner, ...others]) {
      await socket.settle();
      socket.frames.length = 0;
    }
    return groupId;
  }

  test('addUserInGroup answers with the notification and tells every other member, the new one included', async () => {
    const [owner, member, guest, stranger] = (await people(4)) as [Person, Person, Person, Person];
    const groupId = await groupOf(owner, member);
    const messageId = randomUUID();
    const item = {
      groupId,
      groupName: 'Friends',
      messageId,
      message: 'P1 added P2',
      senderName: 'P1',
      senderLastName: null,
      senderId: member.id,
      notification: true,
      createdAt: TIME,
    };
    const params = { groupId, userId: guest.id, messageId, message: 'P1 added P2', groupName: 'Another name' };
    expect(await member.socket.ask('addUserInGroup', params)).toEqual({ item, data: null, isBroadcast: false });
    for (const { socket } of [owner, guest]) expect(await socket.broadcast('addUserInGroup')).toEqual(item);
    await Promise.all([member.socket.settle(), stranger.socket.settle()]);
    expect([...heard(member), ...heard(stranger)]).toEqual([]);
    expect(await history(guest, groupId)).toMatchObject([{ messageId, notification: true, content: 'P1 added P2' }, {}, {}]);
  });

  test('who is added hears the group at once on every open connection, who leaves hears it no more', async () => {
    const [owner, guest] = (await people(2)) as [Person, Person];
    const secondDevice = await connect(server, guest);
    const groupId = await groupOf(owner);
    await add(owner, groupId, guest);
    await say(owner, groupId, 'Welcome');
    for (const socket of [guest.socket, secondDevice])
      expect(await socket.broadcast('messageInGroup')).toMatchObject({ message: 'Welcome' });
    await leave(guest, groupId);
    await say(owner, groupId, 'Gone');
    await Promise.all([guest.socket.settle(), secondDevice.settle()]);
    for (const socket of [guest.socket, secondDevice]) {
      expect(socket.broadcasts.filter(({ params }) => params.item?.message === 'Gone')).toEqual([]);
    }
  });

  test('leaveGroup answers with the group and tells those who stay', async () => {
    const [owner, leaver, other] = (await people(3)) as [Person, Person, Person];
    const groupId = await groupOf(owner, leaver, other);
    const messageId = randomUUID();
    const answer = await leaver.socket.ask('leaveGroup', { groupId, messageId, message: 'Bye', groupName: 'ignored' });
    expect(answer).toEqual({ item: { groupId }, data: null, isBroadcast: false });
    for (const { socket } of [owner, other]) {
      expect(await socket.broadcast('leaveGroup')).toEqual({
        groupId,
        groupName: 'Friends',
        messageId,
        message: 'Bye',
        senderName: 'P1',
        senderLastName: null,
        senderId: leaver.id,
        notification: true,
        createdAt: TIME,
      });
    }
    await leaver.socket.settle();
    expect(heard(leaver)).toEqual([]);
    expect(await leave(leaver, groupId)).toMatchObject(NOT_A_MEMBER);
  });

  test('only the owner drops a group; every other member is told, and then nobody is in it', async () => {
    const [owner, member] = (await people(2)) as [Person, Person];
    const groupId = await groupOf(owner, member);
    expect(await member.socket.fail('dropGroup', { groupId })).toMatchObject({ code: 'not_the_owner' });
    expect(await owner.socket.ask('dropGroup', { groupId })).toEqual({ item: { groupId }, data: null, isBroadcast: false });
    expect(await member.socket.broadcast('dropGroup')).toEqual({ groupId });
    await owner.socket.settle();
    expect(heard(owner)).toEqual([]);
    for (const person of [owner, member]) {
      expect(await say(person, groupId)).toMatchObject(NOT_A_MEMBER);
      expect(await person.socket.rows('listLastMessage', { limit: 10, cursorCreatedAt: null })).toEqual([]);
    }
  });

  test('when the owner leaves, the longest-standing member becomes owner; when the last one leaves, the group is dropped', async () => {
    const [owner, first, second] = (await people(3)) as [Person, Person, Person];
    const groupId = await groupOf(owner, first, second);
    await leave(owner, groupId);
    expect(await second.socket.fail('dropGroup', { groupId })).toMatchObject({ code: 'not_the_owner' });
    await leave(first, groupId);
    await leave(second, groupId);
    expect(await query(server.databaseUrl, 'SELECT deleted_at IS NOT NULL AS dropped FROM conversations WHERE id = $1', [groupId])).toEqual(
      [{ dropped: true }],
    );
    const body = { groupId, groupName: 'Again', notificationMessage: 'again', messageId: randomUUID() };
    expect((await call(server, 'POST', '/groups', { token: owner.token, body })).status).toBe(409);
  });

  test('a non-member is refused with one message, also for a group that does not exist and for the id of a dialog', async () => {
    const [owner, stranger] = (await people(2)) as [Person, Person];
    await stranger.socket.ask('privateMessage', { messageId: randomUUID(), receiverId: owner.id, content: 'Hi' });
    for (const groupId of [await groupOf(owner), randomUUID(), dialogId(owner.id, stranger.id)]) {
      const messageId = randomUUID();
      expect(await say(stranger, groupId)).toMatchObject({ type: 'messageInGroup', error: true, ...NOT_A_MEMBER });
      expect(await stranger.socket.fail('addUserInGroup', { groupId, userId: owner.id, messageId, message: 'x' })).toMatchObject(
        NOT_A_MEMBER,
      );
      expect(await stranger.socket.fail('leaveGroup', { groupId, messageId, message: 'x' })).toMatchObject(NOT_A_MEMBER);
      expect(await stranger.socket.fail('dropGroup', { groupId })).toMatchObject(NOT_A_MEMBER);
      expect(await stranger.socket.fail('getlatestMessageGroup', { groupId, limit: 1, cursorCreatedAt: null })).toMatchObject(NOT_A_MEMBER);
    }
  });

  test('adding a member again, or nobody, is an error that leaves nothing behind', async () => {
    const [owner, member] = (await people(2)) as [Person, Person];
    const groupId = await groupOf(owner, member);
    const before = await history(owner, groupId);
    expect(await add(owner, groupId, member)).toMatchObject({ message: 'the user is already in the group', code: 'already_a_member' });
    expect(await add(owner, groupId, { id: randomUUID() })).toMatchObject({ message: 'There is no such user', code: 'no_such_user' });
    expect(await history(owner, groupId)).toEqual(before);
    await member.socket.settle();
    expect(heard(member)).toEqual([]);
  });

  test('the same addition or leaving again, with its messageId, gives the same answer and tells nobody twice', async () => {
    const [owner, member, guest] = (await people(3)) as [Person, Person, Person];
    const groupId = await groupOf(owner, member);
    const params = { groupId, userId: guest.id, messageId: randomUUID(), message: 'added' };
    const answers = await Promise.all([1, 2, 3].map(() => owner.socket.ask('addUserInGroup', params)));
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    const bye = { groupId, messageId: randomUUID(), message: 'bye' };
    for (let times = 0; times < 2; times++) expect((await guest.socket.ask('leaveGroup', bye)).item).toEqual({ groupId });
    await member.socket.settle();
    expect(heard(member)).toEqual(['addUserInGroup', 'leaveGroup']);
    expect(await owner.socket.fail('addUserInGroup', params)).toMatchObject({ code: 'message_id_taken' });
  });

  test('of many who add the same user at once, exactly one succeeds', async () => {
    const [owner, ...rest] = (await people(8)) as [Person, ...Person[]];
    const [guest, ...members] = rest as [Person, ...Person[]];
    const groupId = await groupOf(owner, ...members);
    const frames = await Promise.all([owner, ...members].map((member) => add(member, groupId, guest)));
    const codes = frames.map((frame) => ('error' in frame ? frame.code : 'ok'));
    expect(codes.sort()).toEqual([...members.map(() => 'already_a_member'), 'ok']);
    await guest.socket.settle();
    expect(heard(guest)).toEqual(['addUserInGroup']);
  });

  test('adding and leaving in a race end with members, topics and history in agreement', async () => {
    const [owner, guest] = (await people(2)) as [Person, Person];
    const groupId = await groupOf(owner, guest);
    for (let round = 0; round < 15; round++) await Promise.all([leave(guest, groupId), add(owner, groupId, guest), leave(guest, groupId)]);
    await add(owner, groupId, guest);
    await say(owner, groupId, 'Still here?');
    expect(await guest.socket.until((frame) => 'success' in frame && frame.params.item?.message === 'Still here?')).toBeDefined();
    const rows = await query(server.databaseUrl, 'SELECT user_id FROM members WHERE conversation_id = $1', [groupId]);
    expect(rows).toHaveLength(2);
  });

  test('after a drop among many sends nothing more is stored', async () => {
    const [owner, member] = (await people(2)) as [Person, Person];
    const groupId = await groupOf(owner, member);
    const count = () => query<{ count: string }>(server.databaseUrl, 'SELECT count(*) FROM messages WHERE conversation_id = $1', [groupId]);
    const sends = Array.from({ length: 100 }, () => say(member, groupId));
    await owner.socket.ask('dropGroup', { groupId });
    const stored = await count();
    expect((await Promise.all(sends)).filter((frame) => 'error' in frame).map((frame) => 'error' in frame && frame.code)).toEqual(
      expect.arrayContaining(['not_a_member']),
    );
    expect(await count()).toEqual(stored);
  });

  test('what one connection sends without waiting is applied in order: add, send, leave, send', async () => {
    const [owner, guest] = (await people(2)) as [Person, Person];
    const groupId = await groupOf(owner);
    const frames = await Promise.all([
      say(owner, groupId, '1'),
      add(owner, groupId, guest),
      say(owner, groupId, '2'),
      leave(owner, groupId),
      say(owner, groupId, '3'),
    ]);
    expect(frames.map((frame) => 'error' in frame && frame.code)).toEqual([false, false, false, false, 'not_a_member']);
    expect((await history(guest, groupId)).map(({ content }) => content).reverse()).toEqual(['created', '1', 'added', '2', 'left']);
    expect(heard(guest)).toEqual(['addUserInGroup', 'messageInGroup', 'leaveGroup']);
  });

  test.for(["'); DROP TABLE members;--", '<script>alert(1)</script>', '$1 %_ \\ "quoted" ё 👩‍🚀'])(
    'carries %s in names and messages unchanged',
    async (text) => {
      const [owner, guest] = (await people(2)) as [Person, Person];
      const groupId = await newGroup(server, owner, text);
      await owner.socket.ask('addUserInGroup', { groupId, userId: guest.id, messageId: randomUUID(), message: text });
      expect(await guest.socket.broadcast('addUserInGroup')).toMatchObject({ groupName: text, message: text });
      expect(await history(guest, groupId)).toMatchObject([{ groupName: text, content: text }, { groupName: text }]);
    },
  );
});
