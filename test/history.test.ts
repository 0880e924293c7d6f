import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from './support/http.ts';
import {
  heard,
  NEWEST,
  newCircle,
  newPerson,
  type PageType,
  type Person,
  placeAt,
  readAll,
  readPages,
  UNCHANGED,
  write,
  writeToGroup,
} from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

const COUNT = 40;

describe('history', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  /** Where `COUNT` messages are, written without waiting, so many in one millisecond. */
  let places: { type: PageType; of: object }[];
  beforeAll(async () => {
    server = await startServer();
    [ann, bob] = [await newPerson(server, 'Ann', 'Archer'), await newPerson(server, 'Bob', null)];
    const groupId = await newCircle(server, [ann, bob]);
    const numbers = Array.from({ length: COUNT }, (_, index) => String(index));
    await Promise.all(numbers.flatMap((content) => [write(ann, bob, content), writeToGroup(ann, groupId, content)]));
    places = [
      { type: 'getlatestMessageDialog', of: { receiverId: bob.id } },
      { type: 'getlatestMessageGroup', of: { groupId } },
    ];
  });
  afterAll(() => server.app.stop());

  test.each([1, 2, 7, COUNT - 1, COUNT, 100])('pages of %i neither skip nor repeat a message', async (limit) => {
    for (const { type, of } of places) {
      const pages = await readPages(ann, type, of, limit);
      for (const page of pages.slice(0, -1)) expect(page).toHaveLength(limit);
      const contents = pages.flat().map(({ content }) => content);
      expect(contents.filter((content) => /^\d+$/.test(String(content)))).toEqual(
        Array.from({ length: COUNT }, (_, index) => String(COUNT - 1 - index)),
      );
      const times = pages.flat().map(({ createdAt }) => String(createdAt));
      expect(times).toEqual([...new Set(times)].sort().reverse());
    }
  });

  test('pages that are read while others write skip and repeat nothing of what was there', async () => {
    const people = [await newPerson(server), await newPerson(server)] as const;
    const [reader, writer] = people;
    const groupId = await newCircle(server, [...people]);
    const numbers = Array.from({ length: COUNT }, (_, index) => `before ${index}`);
    await Promise.all(numbers.map((content) => writeToGroup(writer, groupId, content)));
    const read = readAll(reader, 'getlatestMessageGroup', { groupId }, 3);
    await Promise.all(numbers.map((_, index) => writeToGroup(writer, groupId, `after ${index}`)));
    const contents = (await read).map(({ content }) => content);
    expect(contents.filter((content) => String(content).startsWith('before'))).toEqual(numbers.reverse());
    expect(new Set(contents).size).toBe(contents.length);
  });

  test('the page after the oldest message is empty', async () => {
    const cursorCreatedAt = '1970-01-01T00:00:00.000Z';
    for (const { type, of } of [...places, { type: 'listLastMessage', of: {} }]) {
      expect(await ann.socket.ask(type, { ...of, limit: 1, cursorCreatedAt })).toEqual({ item: null, data: [], isBroadcast: false });
    }
  });

  test('a cursor is the time itself, in whatever zone it is written', async () => {
    for (const { type, of } of places) {
      const [, second, third] = await ann.socket.rows(type, { ...of, limit: 3, cursorCreatedAt: null });
      const zoned = new Date(new Date(String(second?.createdAt)).getTime() + 2 * 3_600_000).toISOString().replace('Z', '+02:00');
      for (const cursorCreatedAt of [second?.createdAt, zoned]) {
        expect(await ann.socket.rows(type, { ...of, limit: 1, cursorCreatedAt })).toEqual([third]);
      }
    }
  });

  /** Params of each list with something wrong, which the error must name. */
  async function expectRefused(wrong: object, path: string): Promise<void> {
    for (const { type, of } of [...places, { type: 'listLastMessage', of: {} }]) {
      const failure = await ann.socket.fail(type, { ...of, ...NEWEST, ...wrong });
      expect(failure).toMatchObject({ error: true, type, code: 'invalid_params', issues: [{ path, message: expect.stringMatching(/./) }] });
    }
  }

  test.each([
    ['yesterday'],
    [''],
    ['null'],
    ['infinity'],
    ['2026-01-01'],
    ['2026-02-30T00:00:00.000Z'],
    ['2026-01-01T25:00:00.000Z'],
    ['2026-01-01T00:00:00'],
    ["2026-01-01T00:00:00.000Z' OR true --"],
    ['1969-12-31T23:59:59.999Z'],
    [0],
    [1_767_225_600_000],
    [true],
    [[]],
    [{}],
    [undefined],
  ])('the cursor %j is an error', async (cursorCreatedAt) => {
    await expectRefused({ cursorCreatedAt }, 'cursorCreatedAt');
  });

  test.each([[0], [-1], [101], [1.5], ['10'], ['all'], [null], [true], [[10]], [undefined]])('the limit %j is an error', async (limit) => {
    await expectRefused({ limit }, 'limit');
  });

  test('an id that is none is an error', async () => {
    for (const id of ['', 1, null, 'me', { $ne: null }, undefined]) {
      const dialog = await ann.socket.fail('getlatestMessageDialog', { receiverId: id, ...NEWEST });
      expect(dialog).toMatchObject({ code: 'invalid_params', issues: [{ path: 'receiverId' }] });
      const group = await ann.socket.fail('getlatestMessageGroup', { groupId: id, ...NEWEST });
      expect(group).toMatchObject({ code: 'invalid_params', issues: [{ path: 'groupId' }] });
    }
  });

  test('a dialog has exactly the promised fields, the same from both sides', async () => {
    const [ann, bob] = [await newPerson(server, 'Ann'), await newPerson(server, 'Bob')];
    const [question, answer] = [randomUUID(), randomUUID()];
    await write(ann, bob, 'How are you?', question);
    await write(bob, ann, 'Fine', answer);
    const [annSide, bobSide] = [
      { senderId: ann.id, senderName: 'Ann', receiverId: bob.id, receiverName: 'Bob' },
      { senderId: bob.id, senderName: 'Bob', receiverId: ann.id, receiverName: 'Ann' },
    ];
    const data = [
      { messageId: answer, ...bobSide, content: 'Fine', ...UNCHANGED, ...placeAt(2) },
      { messageId: question, ...annSide, content: 'How are you?', ...UNCHANGED, ...placeAt(1) },
    ];
    const expected = { item: null, data, isBroadcast: false };
    expect(await ann.socket.ask('getlatestMessageDialog', { receiverId: bob.id, ...NEWEST })).toEqual(expected);
    expect(await bob.socket.ask('getlatestMessageDialog', { receiverId: ann.id.toUpperCase(), ...NEWEST })).toEqual(expected);
  });

  test('an answer, its broadcast and every list tell the same place of the same message', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'Where?');
    const { seq, rev, createdAt } = await write(ann, bob, 'When?');
    const [, item] = await heard(bob, 'privateMessage');
    const [row] = await bob.socket.rows('getlatestMessageDialog', { receiverId: ann.id, ...NEWEST });
    const [chat] = await bob.socket.rows('listLastMessage', NEWEST);
    for (const seen of [item, row, chat]) expect(seen).toMatchObject({ seq, rev, createdAt });
    expect([seq, rev]).toEqual([2, 2]);
  });

  test('a dialog with somebody unknown, or with whom there is none yet, is an empty page', async () => {
    const [stranger, ann] = [await newPerson(server), await newPerson(server)];
    for (const receiverId of [randomUUID(), stranger.id, ann.id]) {
      expect(await ann.socket.ask('getlatestMessageDialog', { receiverId, ...NEWEST })).toEqual({
        item: null,
        data: [],
        isBroadcast: false,
      });
    }
  });

  test("nobody reads others' dialog: each page is of the reader's own", async () => {
    const stranger = await newPerson(server);
    for (const receiverId of [ann.id, bob.id])
      expect(await stranger.socket.rows('getlatestMessageDialog', { receiverId, ...NEWEST })).toEqual([]);
    const [place] = places.filter(({ type }) => type === 'getlatestMessageGroup');
    expect(await stranger.socket.fail('getlatestMessageGroup', { ...place?.of, ...NEWEST })).toMatchObject({
      message: 'User is not a member of this group',
      code: 'not_a_member',
    });
  });

  test('a new name shows in everything written before, and in what is written next', async () => {
    const [ann, bob] = [await newPerson(server, 'Ann', 'Archer'), await newPerson(server, 'Bob', 'Baker')];
    const groupId = await newCircle(server, [ann, bob]);
    await write(ann, bob, 'Before');
    expect((await call(server, 'PATCH', '/profile', { token: ann.token, body: { firstName: 'Anna', lastName: null } })).status).toBe(200);
    const renamed = { senderId: ann.id, senderName: 'Anna' };
    for (const { socket } of [ann, bob]) {
      expect(await socket.rows('listLastMessage', NEWEST)).toMatchObject([
        { content: 'Before', ...renamed, senderLastName: null },
        { content: 'added', ...renamed, senderLastName: null },
      ]);
      expect(await socket.rows('getlatestMessageGroup', { groupId, ...NEWEST })).toMatchObject([renamed, renamed]);
    }
    await write(bob, ann, 'Hello, Anna');
    const [row] = await bob.socket.rows('getlatestMessageDialog', { receiverId: ann.id, ...NEWEST });
    expect(row).toMatchObject({ senderName: 'Bob', receiverName: 'Anna' });
    await write(ann, bob, 'After');
    await writeToGroup(ann, groupId, 'After');
    const told = [...(await heard(bob, 'privateMessage')), ...(await heard(bob, 'messageInGroup'))].filter(
      (item) => item?.message === 'After',
    );
    expect(told).toMatchObject([
      { ...renamed, senderLastName: null },
      { ...renamed, senderLastName: null },
    ]);
  });
});
