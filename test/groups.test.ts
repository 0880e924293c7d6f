import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { newUser } from './support/http.ts';
import {
  add,
  heard,
  leave,
  NASTY_TEXTS,
  NEWEST,
  newCircle,
  newPerson,
  type Person,
  placeAt,
  write,
  writeToGroup,
} from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const NOT_A_MEMBER = { error: true, message: 'User is not a member of this group', code: 'not_a_member' };
const DONE = { item: null, data: null, isBroadcast: false };

describe('a group', () => {
  let server: TestServer;
  let owner: Person;
  let member: Person;
  let other: Person;
  let groupId: string;
  beforeAll(async () => {
    server = await startServer();
    [owner, member, other] = [await newPerson(server, 'Olga', 'Owner'), await newPerson(server, 'Max', null), await newPerson(server)];
  });
  afterAll(() => server.app.stop());

  /** A fresh group of the owner, the member and the other, in the order of their standing, who have heard nothing yet. */
  async function gather(groupName = 'Friends'): Promise<void> {
    groupId = await newCircle(server, [owner, member, other], groupName);
    for (const person of [owner, member, other]) {
      await person.socket.settle();
      person.socket.frames.length = 0;
    }
  }

  const rows = ({ socket }: Person) => socket.rows('getlatestMessageGroup', { groupId, ...NEWEST });
  const chats = ({ socket }: Person) => socket.rows('listLastMessage', NEWEST);
  const contents = async (person: Person) => (await rows(person)).map(({ content }) => content);

  describe('addUserInGroup', () => {
    test('answers with the notification, and tells every other member, the new one included, the same', async () => {
      await gather();
      const newcomer = await newPerson(server);
      const [secondDevice, ownDevice, stranger] = [await connect(server, newcomer), await connect(server, member), await newPerson(server)];
      const messageId = randomUUID();
      const params = { groupId, userId: newcomer.id, messageId, message: 'Max added Ann', groupName: 'Not its name' };
      const answer = await member.socket.ask('addUserInGroup', params);
      const item = {
        groupId,
        groupName: 'Friends',
        messageId,
        message: 'Max added Ann',
        senderName: 'Max',
        senderId: member.id,
        senderLastName: null,
        notification: true,
        replyTo: null,
        ...placeAt(4),
      };
      expect(answer).toEqual({ item, data: null, isBroadcast: false, ...placeAt(4) });
      for (const told of [owner, other, newcomer, { socket: secondDevice }]) expect(await heard(told)).toEqual([answer.item]);
      for (const untold of [member, { socket: ownDevice }, stranger]) expect(await heard(untold)).toEqual([]);
      expect((await rows(newcomer))[0]).toMatchObject({ messageId, content: 'Max added Ann', notification: true });
    });

    test('lets the new member read what was written before, write, and hear what is written from then on', async () => {
      await gather();
      const newcomer = await newPerson(server);
      await writeToGroup(owner, groupId, 'Unheard');
      await add(owner, groupId, newcomer);
      await writeToGroup(owner, groupId, 'Heard');
      await writeToGroup(newcomer, groupId, 'Said');
      expect((await heard(newcomer, 'messageInGroup')).map((item) => item?.message)).toEqual(['Heard']);
      expect((await heard(owner, 'messageInGroup')).map((item) => item?.message)).toEqual(['Said']);
      expect((await contents(newcomer)).slice(0, 4)).toEqual(['Said', 'Heard', 'added', 'Unheard']);
    });

    test('of a member, of oneself or of nobody is an error; nothing is stored or broadcast', async () => {
      await gather();
      const before = await rows(owner);
      const refusals = [
        { userId: other.id, message: 'the user is already in the group', code: 'already_a_member' },
        { userId: member.id, message: 'the user is already in the group', code: 'already_a_member' },
        { userId: randomUUID(), message: 'There is no such user', code: 'no_such_user' },
      ];
      for (const { userId, ...refusal } of refusals) {
        const failure = await member.socket.fail('addUserInGroup', { groupId, userId, messageId: randomUUID(), message: 'added' });
        expect(failure).toEqual({ error: true, type: 'addUserInGroup', ...refusal, requestId: expect.any(String) });
      }
      expect(await rows(owner)).toEqual(before);
      for (const person of [owner, other]) expect(await heard(person)).toEqual([]);
    });

    test('again with the same messageId gives the same answer, and is broadcast once', async () => {
      await gather();
      const [newcomer, messageId] = [await newPerson(server), randomUUID()];
      const answer = await add(member, groupId, newcomer, messageId);
      const repeats = await Promise.all([1, 2, 3].map(() => add(member, groupId, newcomer, messageId)));
      expect(repeats).toEqual([answer, answer, answer]);
      expect(await heard(owner)).toEqual([answer.item]);
      expect(await contents(owner)).toEqual(['added', 'added', 'added', 'created']);
    });

    test('with the messageId of somebody else is an error, and adds nobody', async () => {
      await gather();
      const [newcomer, messageId] = [await newPerson(server), randomUUID()];
      await writeToGroup(owner, groupId, 'Mine', messageId);
      const params = { groupId, userId: newcomer.id, messageId, message: 'added' };
      expect(await member.socket.fail('addUserInGroup', params)).toMatchObject({ code: 'message_id_taken' });
      expect(await newcomer.socket.fail('getlatestMessageGroup', { groupId, ...NEWEST })).toMatchObject(NOT_A_MEMBER);
      expect(await heard(newcomer)).toEqual([]);
    });

    test('with the messageId of an ordinary message of mine is an error, also of who is a member', async () => {
      await gather();
      const messageId = randomUUID();
      await writeToGroup(member, groupId, 'Mine', messageId);
      const params = { groupId, userId: other.id, messageId, message: 'added' };
      expect(await member.socket.fail('addUserInGroup', params)).toMatchObject({ code: 'message_id_taken' });
    });
  });

  describe('leaveGroup', () => {
    test('answers with the groupId, and tells those who stay', async () => {
      await gather();
      const [ownDevice, messageId] = [await connect(server, member), randomUUID()];
      const params = { groupId, messageId, message: 'Max left', groupName: 'Not its name' };
      expect(await member.socket.ask('leaveGroup', params)).toEqual({ item: { groupId }, data: null, isBroadcast: false, ...placeAt(4) });
      for (const told of [owner, other]) {
        expect(await heard(told)).toEqual([
          {
            groupId,
            groupName: 'Friends',
            messageId,
            message: 'Max left',
            senderName: 'Max',
            senderId: member.id,
            senderLastName: null,
            notification: true,
            replyTo: null,
            ...placeAt(4),
          },
        ]);
      }
      for (const untold of [member, { socket: ownDevice }]) expect(await heard(untold)).toEqual([]);
      expect((await rows(owner))[0]).toMatchObject({ messageId, content: 'Max left', notification: true, senderId: member.id });
    });

    test('ends what the leaver hears on every connection, at once, until added again', async () => {
      await gather();
      const ownDevice = await connect(server, member);
      await leave(member, groupId);
      await writeToGroup(owner, groupId, 'Without you');
      for (const untold of [member, { socket: ownDevice }]) expect(await heard(untold)).toEqual([]);
      await add(owner, groupId, member);
      await writeToGroup(owner, groupId, 'With you');
      for (const told of [member, { socket: ownDevice }]) {
        expect((await heard(told)).map((item) => item?.message)).toEqual(['added', 'With you']);
      }
    });

    test('takes the group from the chat list of the leaver alone', async () => {
      await gather();
      await leave(member, groupId);
      expect(await chats(member)).not.toContainEqual(expect.objectContaining({ groupId }));
      expect(await chats(other)).toContainEqual(expect.objectContaining({ groupId, content: 'left' }));
    });

    test('again with the same messageId gives the same answer, and is broadcast once', async () => {
      await gather();
      const messageId = randomUUID();
      const answers = await Promise.all([1, 2, 3].map(() => leave(member, groupId, messageId)));
      for (const answer of answers) expect(answer).toEqual({ item: { groupId }, data: null, isBroadcast: false, ...placeAt(4) });
      expect(await heard(owner)).toHaveLength(1);
      expect(await contents(owner)).toEqual(['left', 'added', 'added', 'created']);
    });

    test('with the messageId of an ordinary message of mine is an error, and I stay; once I am out, it says that', async () => {
      await gather();
      const messageId = randomUUID();
      await writeToGroup(member, groupId, 'Mine', messageId);
      const params = { groupId, messageId, message: 'left' };
      expect(await member.socket.fail('leaveGroup', params)).toMatchObject({ code: 'message_id_taken' });
      await writeToGroup(member, groupId, 'Still here');
      await leave(member, groupId);
      expect(await member.socket.fail('leaveGroup', params)).toMatchObject(NOT_A_MEMBER);
    });
  });

  describe('dropGroup', () => {
    test('answers with the groupId, and tells every other member just that', async () => {
      await gather();
      const [ownDevice, stranger] = [await connect(server, owner), await newPerson(server)];
      expect(await owner.socket.ask('dropGroup', { groupId })).toEqual({ item: { groupId }, data: null, isBroadcast: false });
      for (const told of [member, other]) {
        await told.socket.settle();
        expect(told.socket.broadcasts).toEqual([
          { type: 'dropGroup', success: true, params: { item: { groupId }, data: null, isBroadcast: true } },
        ]);
        expect(await chats(told)).not.toContainEqual(expect.objectContaining({ groupId }));
      }
      for (const untold of [owner, { socket: ownDevice }, stranger]) expect(await heard(untold)).toEqual([]);
    });

    test('by a member who is not the owner is refused, and changes nothing', async () => {
      await gather();
      expect(await member.socket.fail('dropGroup', { groupId })).toMatchObject({ error: true, type: 'dropGroup', code: 'not_the_owner' });
      expect(await heard(other)).toEqual([]);
      expect(await writeToGroup(member, groupId, 'Still here')).toEqual({ ...DONE, ...placeAt(4) });
    });
  });

  test('passes to the longest-standing member when its owner leaves, time after time; one who returns is the youngest', async () => {
    await gather();
    await leave(owner, groupId);
    await add(other, groupId, owner);
    for (const person of [other, owner])
      expect(await person.socket.fail('dropGroup', { groupId })).toMatchObject({ code: 'not_the_owner' });
    await leave(member, groupId);
    expect(await owner.socket.fail('dropGroup', { groupId })).toMatchObject({ code: 'not_the_owner' });
    expect(await other.socket.ask('dropGroup', { groupId })).toMatchObject({ item: { groupId } });
  });

  test('does not pass on when somebody else leaves', async () => {
    await gather();
    await leave(member, groupId);
    expect(await other.socket.fail('dropGroup', { groupId })).toMatchObject({ code: 'not_the_owner' });
    expect(await owner.socket.ask('dropGroup', { groupId })).toMatchObject({ item: { groupId } });
  });

  test('is dropped when its last member leaves', async () => {
    await gather();
    for (const person of [owner, member, other]) await leave(person, groupId);
    for (const person of [owner, member, other]) {
      const request = { messageId: randomUUID(), groupId, content: 'Anybody?' };
      expect(await person.socket.fail('messageInGroup', request)).toMatchObject(NOT_A_MEMBER);
    }
    const [row] = await query<{ deleted: boolean }>(
      server.databaseUrl,
      'SELECT deleted_at IS NOT NULL AS deleted FROM conversations WHERE id = $1',
      [groupId],
    );
    expect(row).toEqual({ deleted: true });
  });

  const requests: [string, (groupId: string) => object][] = [
    ['getlatestMessageGroup', (groupId) => ({ groupId, ...NEWEST })],
    ['messageInGroup', (groupId) => ({ groupId, messageId: randomUUID(), content: 'Hello' })],
    ['addUserInGroup', (groupId) => ({ groupId, userId: other.id, messageId: randomUUID(), message: 'added' })],
    ['leaveGroup', (groupId) => ({ groupId, messageId: randomUUID(), message: 'left' })],
    ['dropGroup', (groupId) => ({ groupId })],
  ];

  test.each(requests)('%s by who is no member, or in what is no group, is refused and changes nothing', async (type, params) => {
    await gather();
    const stranger = await newPerson(server);
    await leave(member, groupId);
    await write(stranger, member, 'A dialog');
    const [dialog] = await query<{ id: string }>(server.databaseUrl, 'SELECT conversation_id AS id FROM members WHERE user_id = $1', [
      stranger.id,
    ]);
    const count = 'SELECT (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM members) AS members';
    const before = await query(server.databaseUrl, count);
    const refused = { ...NOT_A_MEMBER, type, requestId: expect.any(String) };
    for (const id of [groupId, randomUUID(), dialog?.id ?? '']) {
      for (const person of [stranger, member]) expect(await person.socket.fail(type, params(id))).toEqual(refused);
    }
    await owner.socket.ask('dropGroup', { groupId });
    expect(await owner.socket.fail(type, params(groupId))).toEqual(refused);
    const [after] = await query<{ messages: string }>(server.databaseUrl, count);
    expect(after?.messages).toBe(before[0]?.messages);
    expect((await heard(other)).map((item) => item?.message)).toEqual(['left', undefined]);
  });

  test.each(NASTY_TEXTS)('carries %j unchanged in its name and its notifications', async (text) => {
    await gather(text.slice(0, 64));
    const newcomer = await newUser(server);
    const params = { groupId, userId: newcomer.id, messageId: randomUUID(), message: text, groupName: text };
    const expected = { groupName: text, message: text };
    expect(await owner.socket.ask('addUserInGroup', params)).toMatchObject({ item: expected });
    await member.socket.ask('leaveGroup', { groupId, messageId: randomUUID(), message: text });
    expect(await heard(other)).toMatchObject([expected, expected]);
    expect((await rows(other)).slice(0, 2)).toMatchObject([
      { content: text, groupName: text },
      { content: text, groupName: text },
    ]);
  });
});
