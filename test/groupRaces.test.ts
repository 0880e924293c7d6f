import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newUser } from './support/http.ts';
import { add, heard, leave, NEWEST, newCircle, newPerson, type Person, readAll, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

const ROUNDS = 15;

describe('in a group, at the same time', () => {
  let server: TestServer;
  let owner: Person;
  let member: Person;
  let groupId: string;
  beforeAll(async () => {
    server = await startServer();
    [owner, member] = [await newPerson(server), await newPerson(server)];
    groupId = await newCircle(server, [owner, member]);
  });
  afterAll(() => server.app.stop());

  const invite = ({ socket }: Person, userId: string) =>
    socket.request('addUserInGroup', { groupId, userId, messageId: randomUUID(), message: 'added' });
  const outcome = (frame: object) => ('code' in frame ? frame.code : 'ok');

  test('two members add the same user: exactly one succeeds, the other is told that the user is in', async () => {
    const newcomers = await Promise.all(Array.from({ length: ROUNDS }, () => newUser(server)));
    const races = await Promise.all(newcomers.map(({ id }) => Promise.all([invite(owner, id), invite(member, id)])));
    for (const race of races) expect(race.map(outcome).sort()).toEqual(['already_a_member', 'ok']);
    const successes = races.flat().filter((frame) => outcome(frame) === 'ok').length;
    expect((await heard(owner)).length + (await heard(member, 'addUserInGroup')).length).toBe(successes + 1);
    expect(await readAll(owner, 'getlatestMessageGroup', { groupId })).toHaveLength(successes + 2);
  });

  test('somebody is added and leaves: whoever is a member afterwards hears the group, and nobody else', async () => {
    const waverer = await newPerson(server);
    for (let round = 0; round < ROUNDS; round++) {
      const [added, left] = await Promise.all([
        invite(owner, waverer.id),
        waverer.socket.request('leaveGroup', { groupId, messageId: randomUUID(), message: 'left' }),
      ]);
      expect(['ok', 'already_a_member']).toContain(outcome(added));
      expect(['ok', 'not_a_member']).toContain(outcome(left));
      const isMember = outcome(await waverer.socket.request('getlatestMessageGroup', { groupId, ...NEWEST })) === 'ok';
      await writeToGroup(owner, groupId, `Round ${round}`);
      const told = (await heard(waverer, 'messageInGroup')).some((item) => item?.message === `Round ${round}`);
      expect({ round, told }).toEqual({ round, told: isMember });
    }
  });

  test('one is added while another leaves: both happen', async () => {
    let [leaver, newcomer] = [await newPerson(server), await newPerson(server)];
    await add(owner, groupId, leaver);
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all([add(member, groupId, newcomer), leave(leaver, groupId)]);
      await writeToGroup(owner, groupId, `Round ${round}`);
      for (const [person, times] of [
        [newcomer, 1],
        [leaver, 0],
      ] as const) {
        const messages = await heard(person, 'messageInGroup');
        expect(messages.filter((item) => item?.message === `Round ${round}`)).toHaveLength(times);
      }
      [leaver, newcomer] = [newcomer, leaver];
    }
  });

  test('all but one leave: the one who stays owns the group', async () => {
    for (let round = 0; round < 5; round++) {
      const people = await Promise.all([newPerson(server), newPerson(server), newPerson(server), newPerson(server)]);
      const groupId = await newCircle(server, people);
      const [first, ...rest] = people;
      await Promise.all(
        rest
          .slice(1)
          .map((person) => leave(person, groupId))
          .concat(leave(first, groupId)),
      );
      const [heir] = rest;
      expect(await heir?.socket.ask('dropGroup', { groupId })).toMatchObject({ item: { groupId } });
      await Promise.all(people.map(({ socket }) => socket.close()));
    }
  });

  test('it is dropped among many sends: what was accepted is stored, and afterwards nothing is accepted', async () => {
    const people = await Promise.all([newPerson(server), newPerson(server), newPerson(server)]);
    const groupId = await newCircle(server, people);
    const [owner, ...members] = people;
    const send = ({ socket }: Person) => socket.request('messageInGroup', { messageId: randomUUID(), groupId, content: 'Hello' });
    const sends = members.flatMap((person) => Array.from({ length: 100 }, () => send(person)));
    await sends[0];
    const dropped = owner.socket.ask('dropGroup', { groupId });
    const later = members.flatMap((person) => Array.from({ length: 100 }, () => send(person)));
    await dropped;
    const afterwards = (await Promise.all(members.map(send))).map(outcome);
    expect(afterwards).toEqual(['not_a_member', 'not_a_member']);
    const outcomes = (await Promise.all([...sends, ...later])).map(outcome);
    expect(new Set([...outcomes, ...afterwards])).toEqual(new Set(['ok', 'not_a_member']));
    const accepted = outcomes.filter((one) => one === 'ok').length;
    expect(await heard(owner, 'messageInGroup')).toHaveLength(accepted);
    for (const person of members) expect(await heard(person, 'dropGroup')).toEqual([{ groupId }]);
  });

  test('it is dropped while members add others: nobody is left in it', async () => {
    const [guest, stranger] = [await newPerson(server), await newPerson(server)];
    for (let round = 0; round < ROUNDS; round++) {
      const groupId = await newCircle(server, [owner, member, guest]);
      const params = { groupId, userId: stranger.id, messageId: randomUUID(), message: 'added' };
      const additions = [member, guest].map(({ socket }) => socket.request('addUserInGroup', { ...params, messageId: randomUUID() }));
      await Promise.all([...additions, owner.socket.ask('dropGroup', { groupId })]);
      for (const { socket } of [owner, member, guest, stranger]) {
        expect(outcome(await socket.request('getlatestMessageGroup', { groupId, ...NEWEST }))).toBe('not_a_member');
      }
    }
  });

  test('a user is added, written to and left without waiting for answers: it is done in that order', async () => {
    const [leaver, newcomer] = [await newPerson(server), await newPerson(server)];
    await add(owner, groupId, leaver);
    const asked = [
      writeToGroup(leaver, groupId, 'first'),
      add(leaver, groupId, newcomer),
      ...Array.from({ length: 20 }, (_, index) => writeToGroup(leaver, groupId, `then ${index}`)),
      leave(leaver, groupId),
    ];
    const tooLate = leaver.socket.fail('messageInGroup', { messageId: randomUUID(), groupId, content: 'too late' });
    await Promise.all(asked);
    expect(await tooLate).toMatchObject({ code: 'not_a_member' });
    const then = Array.from({ length: 20 }, (_, index) => `then ${index}`);
    expect((await heard(newcomer)).map((item) => item?.message)).toEqual(['added', ...then, 'left']);
    expect((await readAll(newcomer, 'getlatestMessageGroup', { groupId })).slice(0, 23).map(({ content }) => content)).toEqual(
      ['first', 'added', ...then, 'left'].reverse(),
    );
  });
});
