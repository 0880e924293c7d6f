import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  readAll,
  UNCHANGED,
  writeToGroup,
} from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const DONE = { item: null, data: null, isBroadcast: false };

describe('messageInGroup', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  let carl: Person;
  let groupId: string;
  beforeAll(async () => {
    server = await startServer();
    [ann, bob, carl] = [await newPerson(server, 'Ann', 'Archer'), await newPerson(server, 'Bob', null), await newPerson(server, 'Carl')];
    groupId = await newCircle(server, [ann, bob, carl]);
  });
  afterAll(() => server.app.stop());

  const rows = (person: Person) => readAll(person, 'getlatestMessageGroup', { groupId });
  const messageOf = (item: Record<string, unknown> | null) => item?.message;

  test("answers with nothing, and reaches every other member's connections with exactly the promised fields", async () => {
    const secondDevice = await connect(server, bob);
    const messageId = randomUUID();
    const params = { messageId, groupId, content: 'Hello, all', groupName: 'Not its name' };
    expect(await ann.socket.ask('messageInGroup', params)).toEqual({ ...DONE, ...placeAt(4) });
    for (const told of [bob, carl, { socket: secondDevice }]) {
      expect(await heard(told, 'messageInGroup')).toEqual([
        {
          groupId,
          groupName: 'Friends',
          messageId,
          message: 'Hello, all',
          senderName: 'Ann',
          senderLastName: 'Archer',
          senderId: ann.id,
          notification: false,
          replyTo: null,
          ...placeAt(4),
        },
      ]);
    }
  });

  test("does not reach the sender's other devices, nor anybody who is not a member", async () => {
    const [ownDevice, stranger, former] = [await connect(server, ann), await newPerson(server), await newPerson(server)];
    await add(ann, groupId, former);
    await leave(former, groupId);
    await writeToGroup(ann, groupId, 'Among us');
    for (const untold of [ann, { socket: ownDevice }, stranger, former]) expect(await heard(untold, 'messageInGroup')).toEqual([]);
  });

  test('gives a missing last name as null, never as nothing', async () => {
    const messageId = randomUUID();
    await writeToGroup(bob, groupId, 'From Bob', messageId);
    expect((await heard(ann, 'messageInGroup')).at(-1)).toMatchObject({ messageId, senderName: 'Bob', senderLastName: null });
    expect((await rows(ann))[0]).toMatchObject({ messageId, senderName: 'Bob', senderLastName: null });
  });

  test('reaches a member who connects later in the history alone, and one who is connected once', async () => {
    const late = await newPerson(server);
    await add(ann, groupId, late);
    await late.socket.close();
    await writeToGroup(ann, groupId, 'While you were away');
    const socket = await connect(server, late);
    await writeToGroup(ann, groupId, 'Welcome back');
    expect((await heard({ socket })).map(messageOf)).toEqual(['Welcome back']);
    const seen = (await readAll({ socket }, 'getlatestMessageGroup', { groupId })).map(({ content }) => content);
    expect(seen.slice(0, 2)).toEqual(['Welcome back', 'While you were away']);
  });

  test('is heard in the group it is for: two groups of the same people do not mix', async () => {
    const otherId = await newCircle(server, [bob, ann], 'Family');
    await writeToGroup(ann, otherId, 'In the family');
    expect((await heard(bob, 'messageInGroup')).at(-1)).toMatchObject({ groupId: otherId, groupName: 'Family', message: 'In the family' });
    expect((await heard(carl)).map(messageOf)).not.toContain('In the family');
    expect((await rows(ann)).map(({ content }) => content)).not.toContain('In the family');
  });

  test('the same messageId twenty times at once from two connections is one message and one broadcast', async () => {
    const sockets = [ann.socket, await connect(server, ann)];
    const params = { messageId: randomUUID(), groupId, content: 'Once' };
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => sockets[index % 2]?.ask('messageInGroup', params)));
    const stored = (await rows(bob)).filter(({ messageId }) => messageId === params.messageId);
    expect(stored).toHaveLength(1);
    for (const { seq, rev, createdAt } of stored) for (const answer of answers) expect(answer).toEqual({ ...DONE, seq, rev, createdAt });
    expect((await heard(bob, 'messageInGroup')).map(messageOf).filter((message) => message === 'Once')).toHaveLength(1);
  });

  test('a repeat with other words changes nothing, and the same id in capitals is a repeat', async () => {
    const messageId = randomUUID();
    const first = await writeToGroup(ann, groupId, 'The first words', messageId);
    expect(await writeToGroup(ann, groupId.toUpperCase(), 'Other words', messageId.toUpperCase())).toEqual(first);
    expect((await rows(bob))[0]).toMatchObject({ messageId, content: 'The first words' });
    expect((await heard(bob)).map(messageOf)).not.toContain('Other words');
  });

  test('the same messageId into another group is another message', async () => {
    const [messageId, otherId] = [randomUUID(), await newCircle(server, [ann, bob], 'Another')];
    await writeToGroup(ann, groupId, 'Here', messageId);
    await writeToGroup(ann, otherId, 'There', messageId);
    expect((await rows(bob))[0]).toMatchObject({ messageId, content: 'Here' });
    expect((await readAll(bob, 'getlatestMessageGroup', { groupId: otherId }))[0]).toMatchObject({ messageId, content: 'There' });
  });

  test('a messageId of another member is an error, and nothing is stored or broadcast', async () => {
    const messageId = randomUUID();
    await writeToGroup(ann, groupId, 'Mine', messageId);
    const before = await rows(carl);
    const failure = await bob.socket.fail('messageInGroup', { messageId, groupId, content: 'Not yours' });
    expect(failure).toMatchObject({ type: 'messageInGroup', code: 'message_id_taken' });
    expect(await rows(carl)).toEqual(before);
    expect((await heard(carl)).map(messageOf)).not.toContain('Not yours');
  });

  test('a repeat after leaving still succeeds, and a new message does not', async () => {
    const [leaver, messageId] = [await newPerson(server), randomUUID()];
    await add(ann, groupId, leaver);
    const first = await writeToGroup(leaver, groupId, 'Goodbye', messageId);
    await leave(leaver, groupId);
    expect(await writeToGroup(leaver, groupId, 'Goodbye', messageId)).toEqual(first);
    const late = { messageId: randomUUID(), groupId, content: 'One more thing' };
    expect(await leaver.socket.fail('messageInGroup', late)).toMatchObject({ code: 'not_a_member' });
    expect((await rows(ann)).slice(0, 2)).toMatchObject([{ content: 'left' }, { content: 'Goodbye' }]);
  });

  test.each([
    ['empty', { content: '' }, 'content'],
    ['too long', { content: 'x'.repeat(10_001) }, 'content'],
    ['with a NUL character', { content: 'a\0b' }, 'content'],
    ['with half a surrogate pair', { content: 'a\udc00b' }, 'content'],
    ['an object', { content: { text: 'x' } }, 'content'],
    ['not a UUID as messageId', { messageId: 1 }, 'messageId'],
    ['an operator as groupId', { groupId: { $ne: null } }, 'groupId'],
    ['with a field nobody knows', { notification: true }, 'notification'],
  ])('%s is an error that names the field, and stores nothing', async (_what, wrong, path) => {
    const before = await rows(ann);
    const failure = await ann.socket.fail('messageInGroup', { messageId: randomUUID(), groupId, content: 'fine', ...wrong });
    expect(failure).toMatchObject({ type: 'messageInGroup', code: 'invalid_params', issues: [{ path }] });
    expect(await rows(ann)).toEqual(before);
  });

  test.each([...NASTY_TEXTS, '🙂'.repeat(10_000), ' \n\t '])('carries %.40j unchanged', async (content) => {
    await writeToGroup(ann, groupId, content);
    expect((await heard(bob, 'messageInGroup')).at(-1)).toMatchObject({ message: content });
    expect((await rows(bob))[0]).toMatchObject({ content });
  });

  test('getlatestMessageGroup gives exactly the promised fields, notification true or null', async () => {
    const [olga, max] = [await newPerson(server, 'Olga', 'Owner'), await newPerson(server, 'Max', null)];
    const groupId = await newCircle(server, [olga, max], 'Two');
    const messageId = randomUUID();
    await writeToGroup(max, groupId, 'Hello', messageId);
    const common = { groupId, groupName: 'Two', messageId: expect.any(String) };
    const notification = { ...common, notification: true, senderId: olga.id, senderName: 'Olga', senderLastName: 'Owner' };
    const message = { ...common, messageId, notification: null, senderId: max.id, senderName: 'Max', senderLastName: null };
    for (const person of [olga, max]) {
      const params = { groupId, groupName: 'Not its name', ...NEWEST };
      expect(await person.socket.ask('getlatestMessageGroup', params)).toEqual({
        item: null,
        data: [
          { ...message, content: 'Hello', ...UNCHANGED, ...placeAt(3) },
          { ...notification, content: 'added', ...UNCHANGED, ...placeAt(2) },
          { ...notification, content: 'created', ...UNCHANGED, ...placeAt(1) },
        ],
        isBroadcast: false,
      });
    }
  });
});
