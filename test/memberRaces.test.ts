import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { call, newUser } from './support/http.ts';
import { heard, NEWEST, newCircle, newPerson, type Person, setRole, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const ROUNDS = 15;

/** What is wrong with a group: its count of members, how many owners it has, or a member whose account is deleted. */
const FAULTS = `
  SELECT conversation.id, conversation.member_count, conversation.deleted_at, array_agg(member.role) AS roles, array_agg(person.deleted_at)
  FROM conversations conversation
  LEFT JOIN members member ON member.conversation_id = conversation.id
  LEFT JOIN users person ON person.id = member.user_id
  WHERE conversation.kind = 'group'
  GROUP BY conversation.id
  HAVING conversation.member_count <> count(member.user_id) OR count(person.deleted_at) > 0
    OR count(*) FILTER (WHERE member.role = 'owner') <> CASE WHEN conversation.deleted_at IS NULL THEN 1 ELSE 0 END`;

describe('in a group with roles, at the same time', () => {
  let server: TestServer;
  /** Another server on the same database. */
  let elsewhere: TestServer;
  let owner: Person;
  let admin: Person;
  beforeAll(async () => {
    server = await startServer();
    elsewhere = await startServer({}, server.databaseUrl);
    [owner, admin] = [await newPerson(server), await newPerson(server)];
    admin.socket = await connect(elsewhere, admin);
  });
  afterAll(() => Promise.all([server.app.stop(), elsewhere.app.stop()]));
  afterEach(async () => {
    expect(await query(server.databaseUrl, FAULTS)).toEqual([]);
  });

  const outcome = (frame: object) => ('code' in frame ? frame.code : 'ok');
  const ask = async ({ socket }: Person, type: string, params: object) => outcome(await socket.request(type, params));
  const notification = () => ({ messageId: randomUUID(), message: 'changed' });
  const remove = (person: Person, groupId: string, userId: string) =>
    ask(person, 'removeUserFromGroup', { groupId, userId, ...notification() });

  async function gather(...members: Person[]): Promise<string> {
    const groupId = await newCircle(server, [owner, admin, ...members]);
    await setRole(owner, groupId, admin, 'admin');
    return groupId;
  }

  test('many are added, removed and leave, at two servers: everybody is counted', async () => {
    const people = await Promise.all(Array.from({ length: ROUNDS }, () => newPerson(server)));
    const groupId = await gather(...people);
    const newcomers = await Promise.all(Array.from({ length: ROUNDS }, () => newUser(server)));
    const outcomes = await Promise.all([
      ...people.map((person, index) => (index % 3 === 0 ? ask(person, 'leaveGroup', { groupId, ...notification() }) : 'ok')),
      ...people.map(({ id }, index) => (index % 3 === 1 ? remove(index % 2 ? owner : admin, groupId, id) : 'ok')),
      ...newcomers.map(({ id: userId }, index) => ask(index % 2 ? owner : admin, 'addUserInGroup', { groupId, userId, ...notification() })),
    ]);
    expect(new Set(outcomes)).toEqual(new Set(['ok']));
    const [row] = await query(server.databaseUrl, 'SELECT member_count FROM conversations WHERE id = $1', [groupId]);
    expect(row).toEqual({ member_count: 2 + ROUNDS / 3 + ROUNDS });
  });

  test('two remove the same member: one does, the other is told that the user is not in the group', async () => {
    const people = await Promise.all(Array.from({ length: ROUNDS }, () => newPerson(server)));
    const groupId = await gather(...people);
    const races = await Promise.all(people.map(({ id }) => Promise.all([remove(owner, groupId, id), remove(admin, groupId, id)])));
    for (const race of races) expect(race.toSorted()).toEqual(['no_such_member', 'ok']);
  });

  test('the group is handed over to two, and its owner leaves: there is one owner', async () => {
    const people = [await newPerson(server), await newPerson(server)];
    for (let round = 0; round < ROUNDS; round++) {
      const groupId = await gather(...people);
      const other = { ...owner, socket: await connect(elsewhere, owner) };
      const outcomes = await Promise.all([
        ...people.map(({ id: userId }, index) => ask(index ? owner : other, 'setGroupRole', { groupId, userId, role: 'owner' })),
        round % 2 ? ask(admin, 'leaveGroup', { groupId, ...notification() }) : 'ok',
        round % 3 ? 'ok' : ask(owner, 'leaveGroup', { groupId, ...notification() }),
      ]);
      for (const one of outcomes) expect(['ok', 'not_the_owner', 'not_a_member']).toContain(one);
      await other.socket.close();
    }
  });

  test('somebody is handed the group, is removed and leaves: there is one owner, who is in it', async () => {
    const heir = await newPerson(server);
    for (let round = 0; round < ROUNDS; round++) {
      const groupId = await gather(heir);
      const outcomes = await Promise.all([
        ask(owner, 'setGroupRole', { groupId, userId: heir.id, role: 'owner' }),
        ask(heir, 'leaveGroup', { groupId, ...notification() }),
        remove(admin, groupId, heir.id),
      ]);
      for (const one of outcomes) expect(['ok', 'no_such_member', 'not_a_member', 'not_the_owner']).toContain(one);
    }
  });

  test('somebody is removed among many sends: what was accepted is stored, and who is out hears nothing after that', async () => {
    const member = await newPerson(server);
    const groupId = await gather(member);
    const send = () => ask(member, 'messageInGroup', { messageId: randomUUID(), groupId, content: 'Hello' });
    const write = () => writeToGroup(owner, groupId, 'Listen');
    const sends = Array.from({ length: 100 }, send);
    const written = Array.from({ length: 100 }, write);
    await sends[0];
    // On the connection that writes it would wait for its turn.
    const removed = remove({ ...owner, socket: await connect(server, owner) }, groupId, member.id);
    const later = Array.from({ length: 100 }, send);
    written.push(...Array.from({ length: 100 }, write));
    expect(await removed).toBe('ok');
    expect(await send()).toBe('not_a_member');
    const outcomes = await Promise.all([...sends, ...later]);
    for (const one of outcomes) expect(['ok', 'not_a_member']).toContain(one);
    await Promise.all(written);
    await heard(member);
    const types = member.socket.broadcasts.map(({ type }) => type);
    expect(types.indexOf('dropGroup')).toBe(types.length - 1);
    const sql = 'SELECT count(*)::int AS stored FROM messages WHERE conversation_id = $1 AND sender_id = $2';
    expect(await query(server.databaseUrl, sql, [groupId, member.id])).toEqual([{ stored: outcomes.filter((one) => one === 'ok').length }]);
  });

  test('somebody is added and removed: whoever is a member afterwards hears the group, and nobody else', async () => {
    const waverer = await newPerson(server);
    const groupId = await gather();
    const second = { ...owner, socket: await connect(server, owner) };
    for (let round = 0; round < ROUNDS; round++) {
      const outcomes = await Promise.all([
        ask(owner, 'addUserInGroup', { groupId, userId: waverer.id, ...notification() }),
        remove(second, groupId, waverer.id),
      ]);
      for (const one of outcomes) expect(['ok', 'already_a_member', 'no_such_member']).toContain(one);
      const isMember = (await ask(waverer, 'getlatestMessageGroup', { groupId, ...NEWEST })) === 'ok';
      await writeToGroup(owner, groupId, `Round ${round}`);
      const told = (await heard(waverer, 'messageInGroup')).some((item) => item?.message === `Round ${round}`);
      expect({ round, told }).toEqual({ round, told: isMember });
    }
  });

  test('an account is deleted while it is added, removed and put into new groups: it is in none, and nobody waits in a circle', async () => {
    const guest = await newPerson(server);
    for (let round = 0; round < ROUNDS; round++) {
      const [gone, other] = [await newPerson(server), await newUser(server)];
      const groups = [await gather(gone), await gather()];
      const userIds = [guest.id, gone.id, other.id];
      const outcomes = await Promise.all([
        ...groups.flatMap((groupId) => [
          remove(owner, groupId, gone.id),
          ask(admin, 'addUserInGroup', { groupId, userId: gone.id, ...notification() }),
          ask(admin, 'addUserInGroup', { groupId, userId: other.id, ...notification() }),
        ]),
        ...[owner, admin].map((person) => ask(person, 'newGroup', { groupName: 'Friends', userIds })),
        ...[gone, other].map(async ({ token }) => (await call(elsewhere, 'DELETE', '/profile', { token })).status),
      ]);
      for (const one of outcomes) expect(['ok', 'no_such_user', 'no_such_member', 'already_a_member', 200]).toContain(one);
    }
  });

  test('the same group is made twice, with the same people in another order: it is made once', async () => {
    const [ann, ...people] = [await newPerson(server), await newPerson(server), await newPerson(server), await newPerson(server)];
    const userIds = people.map(({ id }) => id);
    for (let round = 0; round < ROUNDS; round++) {
      const params = { groupId: randomUUID(), groupName: 'Friends', userIds };
      const outcomes = await Promise.all([
        ask(ann, 'newGroup', params),
        ask({ ...ann, socket: await connect(server, ann) }, 'newGroup', { ...params, userIds: userIds.toReversed() }),
      ]);
      expect(outcomes).toEqual(['ok', 'ok']);
    }
    for (const person of people) expect(await heard(person, 'addUserInGroup')).toHaveLength(ROUNDS);
  });

  test('an account is deleted while it makes a group: the group has an owner who is there, or does not exist', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const founder = await newPerson(server);
      const [, , status] = await Promise.all([
        ...[owner.id, admin.id].map((id) => founder.socket.send({ type: 'newGroup', params: { groupName: 'Friends', userIds: [id] } })),
        call(elsewhere, 'DELETE', '/profile', { token: founder.token }).then(({ status }) => status),
      ]);
      expect(status).toBe(200);
    }
    // What they asked for last is done, or will not be done any more.
    await Promise.all([server.app.stop(), elsewhere.app.stop()]);
  });
});
