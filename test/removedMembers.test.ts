import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import {
  add,
  deviceOf,
  heard,
  leave,
  NEWEST,
  newCircle,
  newPerson,
  type Person,
  placeAt,
  remove,
  setRole,
  writeToGroup,
} from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

describe('removeUserFromGroup', () => {
  let server: TestServer;
  let owner: Person;
  let admin: Person;
  let member: Person;
  let other: Person;
  let groupId: string;
  beforeAll(async () => {
    server = await startServer();
    [owner, admin, member, other] = [
      await newPerson(server, 'Olga', 'Owner'),
      await newPerson(server),
      await newPerson(server),
      await newPerson(server),
    ];
  });
  afterAll(() => server.app.stop());

  /** A fresh group of four messages, whose members have heard nothing yet. */
  async function gather(): Promise<void> {
    groupId = await newCircle(server, [owner, admin, member, other], 'Friends');
    await setRole(owner, groupId, admin, 'admin');
    for (const { socket } of [owner, admin, member, other]) {
      await socket.settle();
      socket.frames.length = 0;
    }
  }
  const fail = ({ socket }: Person, userId: string, messageId = randomUUID()) =>
    socket.fail('removeUserFromGroup', { groupId, userId, messageId, message: 'removed' });
  const contents = async ({ socket }: Person) =>
    (await socket.rows('getlatestMessageGroup', { groupId, ...NEWEST })).map(({ content }) => content);
  const frames = async ({ socket }: Person) => {
    await socket.settle();
    return socket.broadcasts.map(({ type, params }) => ({ type, item: params.item }));
  };
  const memberCount = async () => {
    const [row] = await query<{ member_count: number }>(server.databaseUrl, 'SELECT member_count FROM conversations WHERE id = $1', [
      groupId,
    ]);
    return row?.member_count;
  };

  test('answers with the groupId; those who stay hear that somebody left, who is removed that the group is gone', async () => {
    await gather();
    const messageId = randomUUID();
    const secondDevice = await deviceOf(server, member);
    expect(await remove(owner, groupId, member, messageId)).toEqual({ item: { groupId }, data: null, isBroadcast: false, ...placeAt(5) });
    const item = {
      groupId,
      groupName: 'Friends',
      messageId,
      message: 'removed',
      senderId: owner.id,
      senderName: 'Olga',
      senderLastName: 'Owner',
      notification: true,
      replyTo: null,
      ...placeAt(5),
    };
    for (const person of [admin, other]) expect(await frames(person)).toEqual([{ type: 'leaveGroup', item }]);
    for (const person of [member, secondDevice]) expect(await frames(person)).toEqual([{ type: 'dropGroup', item: { groupId } }]);
    expect(await frames(owner)).toEqual([]);
    expect((await other.socket.rows('getlatestMessageGroup', { groupId, ...NEWEST }))[0]).toMatchObject({
      messageId,
      notification: true,
      senderId: owner.id,
    });
    expect(await memberCount()).toBe(3);
  });

  test('ends what the removed one hears, reads and may do, at once', async () => {
    await gather();
    const secondDevice = await deviceOf(server, member, ['memberRemoved', 'groupUpdated', 'catchUp', 'ownMessages']);
    await remove(owner, groupId, member);
    await writeToGroup(owner, groupId, 'Without you');
    await owner.socket.ask('updateGroup', { groupId, groupName: 'Renamed' });
    for (const person of [member, secondDevice]) expect((await frames(person)).map(({ type }) => type)).toEqual(['dropGroup']);
    expect(await member.socket.fail('getlatestMessageGroup', { groupId, ...NEWEST })).toMatchObject({ code: 'not_a_member' });
    const message = { groupId, messageId: randomUUID(), content: 'Hello?' };
    expect(await member.socket.fail('messageInGroup', message)).toMatchObject({ code: 'not_a_member' });
    expect(await member.socket.rows('listLastMessage', NEWEST)).not.toContainEqual(expect.objectContaining({ groupId }));
    await add(other, groupId, member);
    await writeToGroup(owner, groupId, 'With you');
    for (const { socket } of [member, secondDevice])
      expect(await socket.broadcast('messageInGroup')).toMatchObject({ message: 'With you' });
  });

  test('tells those who asked for it who removed whom, my other devices among them, and not where I did it', async () => {
    await gather();
    const devices = await Promise.all([owner, other].map((person) => deviceOf(server, person, ['memberRemoved'])));
    const [acting, stranger] = [
      await deviceOf(server, owner, ['memberRemoved']),
      await deviceOf(server, await newPerson(server), ['memberRemoved']),
    ];
    await remove(acting, groupId, member);
    const item = { companionId: null, groupId, userId: member.id, removedBy: owner.id };
    for (const device of devices)
      expect((await frames(device)).filter(({ type }) => type === 'memberRemoved')).toEqual([{ type: 'memberRemoved', item }]);
    for (const person of [owner, other, acting, stranger]) expect(await heard(person, 'memberRemoved')).toEqual([]);
  });

  test('is a notification of mine on those of my other devices that ask for what I do, and not that I left', async () => {
    await gather();
    const device = await deviceOf(server, owner, ['ownMessages']);
    await remove(owner, groupId, member);
    const item = await other.socket.broadcast('leaveGroup');
    expect(await frames(device)).toEqual([{ type: 'messageInGroup', item: { ...item, companionId: null } }]);
  });

  test('lets the owner remove anybody else, and admins plain members', async () => {
    await gather();
    await setRole(owner, groupId, other, 'admin');
    for (const person of [owner, other]) expect(await fail(admin, person.id)).toMatchObject({ code: 'not_the_owner' });
    for (const person of [owner, admin, other]) expect(await fail(member, person.id)).toMatchObject({ code: 'not_an_admin' });
    expect(await memberCount()).toBe(4);
    await remove(admin, groupId, member);
    await remove(owner, groupId, admin);
    await remove(owner, groupId, other);
    expect(await contents(owner)).toEqual(['removed', 'removed', 'removed', 'added', 'added', 'added', 'created']);
    expect(await memberCount()).toBe(1);
  });

  test('of oneself is refused: that is what leaveGroup is for', async () => {
    await gather();
    for (const person of [owner, admin, member]) {
      expect(await fail(person, person.id)).toMatchObject({
        code: 'invalid_params',
        issues: [{ path: 'userId', message: 'use leaveGroup' }],
      });
    }
  });

  test('of who is not in the group, or by who is not, is refused; nothing is stored or broadcast', async () => {
    await gather();
    await leave(other, groupId);
    await member.socket.settle();
    member.socket.frames.length = 0;
    for (const userId of [other.id, randomUUID()]) expect(await fail(owner, userId)).toMatchObject({ code: 'no_such_member' });
    expect(await fail(member, randomUUID())).toMatchObject({ code: 'not_an_admin' });
    for (const userId of [member.id, randomUUID()]) expect(await fail(other, userId)).toMatchObject({ code: 'not_a_member' });
    expect(await contents(owner)).toEqual(['left', 'added', 'added', 'added', 'created']);
    expect(await heard(member)).toEqual([]);
  });

  test('again with the same messageId gives the same answer, and is told once; who asked for it is told to catch up', async () => {
    await gather();
    const messageId = randomUUID();
    const removed = await deviceOf(server, member, ['catchUp']);
    const answer = await remove(owner, groupId, member, messageId);
    const repeats = await Promise.all([1, 2, 3].map(() => remove(owner, groupId, member, messageId)));
    expect(repeats).toEqual([answer, answer, answer]);
    expect(await frames(other)).toHaveLength(1);
    expect(await frames(member)).toEqual([{ type: 'dropGroup', item: { groupId } }]);
    await removed.socket.broadcast('catchUp');
    expect(await memberCount()).toBe(3);
  });

  test('with a messageId that removed somebody who is back, or that is of another message, is refused', async () => {
    await gather();
    const [removal, mine, theirs] = [randomUUID(), randomUUID(), randomUUID()];
    await remove(owner, groupId, member, removal);
    await add(owner, groupId, member);
    await writeToGroup(owner, groupId, 'Mine', mine);
    await writeToGroup(admin, groupId, 'Theirs', theirs);
    for (const messageId of [removal, mine, theirs]) {
      expect(await fail(owner, member.id, messageId)).toMatchObject({ code: 'message_id_taken' });
    }
    expect(await memberCount()).toBe(4);
  });

  test('with the messageId of an ordinary message of mine is refused, whoever is named; to who has left it tells nothing', async () => {
    await gather();
    const [stranger, mine] = [await newPerson(server), randomUUID()];
    await writeToGroup(member, groupId, 'Mine', mine);
    for (const { id } of [stranger, other]) expect(await fail(member, id, mine)).toMatchObject({ code: 'message_id_taken' });
    await leave(member, groupId);
    for (const { id } of [stranger, other]) expect(await fail(member, id, mine)).toMatchObject({ code: 'not_a_member' });
  });

  test('again and again makes who was removed catch up at once, and then no more often than every two seconds', async () => {
    await gather();
    const [removed, messageId] = [await deviceOf(server, await newPerson(server), ['catchUp']), randomUUID()];
    await add(owner, groupId, removed);
    await remove(owner, groupId, removed, messageId);
    const catchUps = () => removed.socket.broadcasts.filter(({ type }) => type === 'catchUp');
    const begin = performance.now();
    for (let count = 0; count < 30; count++) await remove(owner, groupId, removed, messageId);
    await removed.socket.until(() => catchUps().length > 1);
    expect(performance.now() - begin).toBeGreaterThan(1_900);
  });

  test('does not tell who has left since whether anybody is in the group', async () => {
    await gather();
    const messageId = randomUUID();
    await remove(admin, groupId, member, messageId);
    await leave(admin, groupId);
    for (const userId of [member.id, other.id, randomUUID()]) {
      expect(await fail(admin, userId, messageId)).toMatchObject({ code: 'not_a_member' });
    }
  });

  test('and what is sent before and after on one connection are done in that order', async () => {
    await gather();
    const [before, removed, after] = [
      writeToGroup(owner, groupId, 'before'),
      remove(owner, groupId, member),
      writeToGroup(owner, groupId, 'after'),
    ];
    await Promise.all([before, removed, after]);
    expect((await frames(member)).map(({ type }) => type)).toEqual(['messageInGroup', 'dropGroup']);
    expect((await contents(other)).slice(0, 3)).toEqual(['after', 'removed', 'before']);
  });
});
