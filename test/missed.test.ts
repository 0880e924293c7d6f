import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { query } from './support/database.ts';
import { call } from './support/http.ts';
import {
  A_TIME,
  deviceOf,
  heard,
  leave,
  NEWEST,
  newCircle,
  newPerson,
  type Person,
  placeAt,
  UNCHANGED,
  write,
  writeMany,
  writeToGroup,
} from './support/people.ts';
import { missedItem } from './support/replica.ts';
import { startServer, type TestServer } from './support/server.ts';

const EPOCH = '1970-01-01T00:00:00.000Z';
const NOTHING = { more: [], reset: [], gone: [], cleared: [], chats: [], moreChats: false, changedSince: A_TIME };

describe('getMissed', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const ask = ({ socket }: Person, cursors: object[], { limit = 500, changedSince = null as string | null } = {}) =>
    socket.ask('getMissed', { cursors, changedSince, limit });
  async function missed(person: Person, cursors: object[], given: { limit?: number; changedSince?: string | null } = {}) {
    const { item, data } = await ask(person, cursors, given);
    return { ...missedItem.parse(item), data: data ?? [] };
  }
  const remove = (person: Person, { id }: Person) => call(server, 'DELETE', `/dialogs/${id}`, { token: person.token });

  test('gives what was missed of dialogs and groups with exactly the promised fields, in the order asked for', async () => {
    const [ann, bob] = [await newPerson(server, 'Ann', 'Archer'), await newPerson(server, 'Bob', null)];
    const groupId = await newCircle(server, [ann, bob], 'Friends');
    const [known, question, answer, hello] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await write(ann, bob, 'Known', known);
    await write(ann, bob, 'How are you?', question);
    await write(bob, ann, 'Fine', answer);
    await writeToGroup(bob, groupId, 'Hello, all', hello);
    const inGroup = { companionId: null, groupId, receiverId: null, receiverName: null, groupName: 'Friends' };
    const byAnn = { senderId: ann.id, senderName: 'Ann', senderLastName: 'Archer' };
    const byBob = { senderId: bob.id, senderName: 'Bob', senderLastName: null };
    const inDialog = { companionId: bob.id, groupId: null, groupName: null, notification: null };
    const cursors = [
      { groupId: groupId.toUpperCase(), afterRev: 1 },
      { receiverId: bob.id.toUpperCase(), afterRev: 1 },
    ];
    const { item, data } = await ask(ann, cursors);
    expect(item).toEqual(NOTHING);
    expect(data).toEqual([
      { ...inGroup, ...byAnn, messageId: expect.any(String), notification: true, content: 'added', ...UNCHANGED, ...placeAt(2) },
      { ...inGroup, ...byBob, messageId: hello, notification: null, content: 'Hello, all', ...UNCHANGED, ...placeAt(3) },
      {
        ...inDialog,
        ...byAnn,
        messageId: question,
        receiverId: bob.id,
        receiverName: 'Bob',
        content: 'How are you?',
        ...UNCHANGED,
        ...placeAt(2),
      },
      { ...inDialog, ...byBob, messageId: answer, receiverId: ann.id, receiverName: 'Ann', content: 'Fine', ...UNCHANGED, ...placeAt(3) },
    ]);
    const [sides] = (await missed(bob, [{ receiverId: ann.id, afterRev: 2 }])).data;
    expect(sides).toMatchObject({ companionId: ann.id, messageId: answer });
  });

  test('gives nothing where nothing was missed, and nothing at all when nothing is asked', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'Hello');
    for (const cursors of [[], [{ receiverId: bob.id, afterRev: 1 }]]) {
      expect(await ask(ann, cursors)).toEqual({ item: NOTHING, data: [], isBroadcast: false });
    }
  });

  test('knows the dialog with oneself, in which the companion is oneself', async () => {
    const ann = await newPerson(server, 'Ann');
    await write(ann, ann, 'Buy milk');
    const { data } = await missed(ann, [{ receiverId: ann.id, afterRev: 0 }]);
    expect(data).toMatchObject([{ companionId: ann.id, groupId: null, senderId: ann.id, receiverId: ann.id, receiverName: 'Ann' }]);
  });

  test('takes a dialog that does not exist for an empty one, and a group that is not mine for gone', async () => {
    const [ann, bob, stranger] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    const [theirs, left, dropped] = [
      await newCircle(server, [bob]),
      await newCircle(server, [bob, ann]),
      await newCircle(server, [bob, ann]),
    ];
    await write(bob, stranger, 'Between us');
    await leave(ann, left);
    await bob.socket.ask('dropGroup', { groupId: dropped });
    const unknown = randomUUID();
    // A group that has the id of a dialog cannot be, also for those whose dialog it is.
    const groups = [theirs, left, unknown, dialogId(bob.id, stranger.id), dropped];
    const cursors = [stranger.id, randomUUID()].map((receiverId) => ({ receiverId, afterRev: 0 }));
    const { item, data } = await ask(ann, [...cursors, ...groups.map((groupId) => ({ groupId, afterRev: 0 }))]);
    expect(data).toEqual([]);
    expect(item).toEqual({ ...NOTHING, gone: groups.map((groupId) => ({ companionId: null, groupId })) });
    expect((await missed(bob, [{ groupId: dialogId(bob.id, stranger.id), afterRev: 0 }])).data).toEqual([]);
  });

  test('says which dialogs I have deleted and up to where, and gives only what came after', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await writeMany(bob, ann, 3);
    await remove(ann, bob);
    const named = [{ receiverId: bob.id, afterRev: 1 }];
    const cleared = [{ companionId: bob.id, seq: 3 }];
    expect(await ask(ann, named)).toEqual({ item: { ...NOTHING, cleared }, data: [], isBroadcast: false });
    await write(bob, ann, 'Afterwards');
    expect(await missed(ann, named)).toMatchObject({ more: [], cleared, data: [{ content: 'Afterwards', ...placeAt(4) }] });
    expect(await missed(bob, [{ receiverId: ann.id, afterRev: 1 }])).toMatchObject({
      cleared: [],
      data: [{ rev: 2 }, { rev: 3 }, { rev: 4 }],
    });
  });

  test('is asked for by my other devices when I delete a dialog, and by nobody else', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(bob, ann, 'Old');
    const [mine, other] = [await deviceOf(server, ann, ['catchUp']), await deviceOf(server, bob, ['catchUp'])];
    await remove(ann, bob);
    await mine.socket.broadcast('catchUp');
    for (const person of [ann, other]) expect(await heard(person, 'catchUp')).toEqual([]);
  });

  test('sends back to the newest page whoever missed more than 1,000 messages, or knows more than there is', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await writeMany(ann, bob, 1_001);
    const reset = { companionId: ann.id, groupId: null, seq: 1_001, rev: 1_001 };
    const of = (afterRev: number) => missed(bob, [{ receiverId: ann.id, afterRev }]);
    expect(await of(0)).toMatchObject({ reset: [reset], more: [], data: [] });
    expect(await of(1_002)).toMatchObject({ reset: [reset], more: [], data: [] });
    const most = await of(1);
    expect(most).toMatchObject({ reset: [], more: [{ receiverId: ann.id, afterRev: 501 }] });
    expect(most.data).toHaveLength(500);
    await writeMany(bob, bob, 2);
    const next = { receiverId: bob.id, afterRev: 0 };
    expect((await missed(bob, [{ receiverId: ann.id, afterRev: 5_000 }, next], { limit: 1 })).data).toHaveLength(1);
    const nobody = randomUUID();
    const { reset: lost } = await missed(bob, [{ receiverId: nobody, afterRev: 1 }]);
    expect(lost).toEqual([{ companionId: nobody, groupId: null, seq: 0, rev: 0 }]);
  });

  /** Changes the messages of a dialog anew, each so that the numbers of changes grow by so many. */
  const change = async ([one, other]: [Person, Person], step: number) =>
    query(
      server.databaseUrl,
      `WITH moved AS (
         UPDATE conversations SET last_rev = last_rev + last_seq * $2 WHERE id = $1 RETURNING last_rev, last_seq
       )
       UPDATE messages SET rev = last_rev - (last_seq - seq) * $2 FROM moved WHERE conversation_id = $1`,
      [dialogId(one.id, other.id), step],
    );

  test('counts a message that was changed 1,002 times as the one row that it is', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'News');
    await change([ann, bob], 1_002);
    for (const limit of [1, 500]) {
      const { reset, more, data } = await missed(bob, [{ receiverId: ann.id, afterRev: 1 }], { limit });
      expect({ reset, more }).toEqual({ reset: [], more: [] });
      expect(data).toMatchObject([{ content: 'News', seq: 1, rev: 1_003 }]);
    }
  });

  test('gives 1,000 messages that were changed, however often, page by page; of 1,001 it sends back to the newest page', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await writeMany(ann, bob, 1_001);
    await change([ann, bob], 3);
    const of = (afterRev: number) => missed(bob, [{ receiverId: ann.id, afterRev }]);
    const reset = { companionId: ann.id, groupId: null, seq: 1_001, rev: 4_004 };
    expect(await of(1_001)).toMatchObject({ reset: [reset], more: [], data: [] });
    const first = await of(1_004);
    expect(first).toMatchObject({ reset: [], more: [{ receiverId: ann.id, afterRev: 2_504 }] });
    const second = await of(2_504);
    expect(second).toMatchObject({ reset: [], more: [] });
    expect([...first.data, ...second.data].map(({ seq }) => seq)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 2));
  });

  test('gives what came after a dialog was deleted, however much was before', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await writeMany(ann, bob, 2);
    await change([ann, bob], 1_000);
    await remove(bob, ann);
    await write(ann, bob, 'Afterwards');
    const { reset, more, data } = await missed(bob, [{ receiverId: ann.id, afterRev: 0 }]);
    expect({ reset, more }).toEqual({ reset: [], more: [] });
    expect(data).toMatchObject([{ content: 'Afterwards', seq: 3 }]);
  });

  test('gives what else has changed as rows of the chat list, the oldest change first', async () => {
    const [ann, bob, carl] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    const { changedSince: before } = await missed(ann, []);
    await write(bob, ann, 'Before');
    const groupId = await newCircle(server, [carl, ann]);
    await write(carl, ann, 'Hidden');
    await remove(ann, carl);
    await write(bob, ann, 'Again');
    const list = await ann.socket.rows('listLastMessage', NEWEST);
    expect(list).toMatchObject([{ content: 'Again', seq: 2, rev: 2 }, { groupId }]);
    const all = await missed(ann, [], { changedSince: before });
    expect(all.chats).toEqual(list.toReversed());
    expect(await missed(ann, [{ receiverId: bob.id, afterRev: 1 }], { changedSince: before })).toMatchObject({ chats: [{ groupId }] });
    expect((await missed(ann, [], { changedSince: null })).chats).toEqual([]);
    const since = String(list[1]?.createdAt);
    expect((await missed(ann, [], { changedSince: since })).chats).toEqual(list.slice(0, 1));
  });

  test('pages of changed chats neither skip nor repeat one, and keep those of an equal time together', async () => {
    const ann = await newPerson(server);
    const groups = await Promise.all(Array.from({ length: 7 }, () => newCircle(server, [ann])));
    const moments = [0, 1, 1, 1, 2, 3, 3];
    await query(
      server.databaseUrl,
      `WITH moved AS (
         UPDATE conversations SET last_message_at = '2026-01-01'::timestamptz + moment * interval '1 ms'
         FROM unnest($1::uuid[], $2::int[]) AS chosen (id, moment) WHERE chosen.id = conversations.id
         RETURNING conversations.id, last_message_at
       )
       UPDATE messages SET created_at = moved.last_message_at FROM moved WHERE moved.id = conversation_id`,
      [groups, moments],
    );
    for (const [limit, lengths] of [
      [1, [1, 3, 1, 2]],
      [2, [4, 3]],
      [4, [4, 3]],
      [6, [7]],
      [7, [7]],
      [500, [7]],
    ] as const) {
      const pages: unknown[][] = [];
      for (let changedSince = EPOCH, goOn = true; goOn; ) {
        const page = await missed(ann, [], { limit, changedSince });
        pages.push(page.chats.map(({ groupId }) => groupId));
        if (page.moreChats) expect(page.changedSince).toBe(page.chats.at(-1)?.createdAt);
        changedSince = page.changedSince;
        goOn = page.moreChats;
      }
      expect(pages.map(({ length }) => length)).toEqual(lengths);
      expect(new Set(pages.flat())).toEqual(new Set(groups));
    }
  });

  test('gives a time to ask from that lies before all that was not committed yet', async () => {
    const ann = await newPerson(server);
    const now = async () => (await query<{ now: Date }>(server.databaseUrl, 'SELECT now() AS now'))[0]?.now.getTime() ?? 0;
    for (const changedSince of [null, EPOCH, new Date().toISOString()]) {
      const before = await now();
      const given = new Date((await missed(ann, [], { changedSince })).changedSince).getTime();
      expect(given).toBeGreaterThanOrEqual(before - 10_000);
      expect(given).toBeLessThanOrEqual((await now()) - 10_000);
    }
  });

  test.each([1, 2, 3, 7, 100])(
    'pages of %i rows over several conversations give each row once, by rev, until nothing is left',
    async (limit) => {
      const [ann, bob, carl] = [await newPerson(server), await newPerson(server), await newPerson(server)];
      const groupId = await newCircle(server, [bob, ann]);
      await writeMany(bob, ann, 5);
      await writeMany(ann, carl, 4);
      const place = { [bob.id]: 5, [groupId]: 2, [carl.id]: 4 };
      let cursors: object[] = [
        { receiverId: bob.id, afterRev: 0 },
        { groupId, afterRev: 0 },
        { receiverId: carl.id, afterRev: 0 },
      ];
      const seen: unknown[][] = [];
      for (let asked = 0; cursors.length > 0; asked++) {
        expect(asked).toBeLessThan(20);
        const { data, more } = await missed(ann, cursors, { limit });
        expect(data).toHaveLength(more.length > 0 ? limit : data.length);
        seen.push(...data.map((row) => [row.companionId ?? row.groupId, row.rev]));
        cursors = more;
      }
      const expected = Object.entries(place).flatMap(([id, count]) => Array.from({ length: count }, (_, index) => [id, index + 1]));
      expect(seen).toEqual([bob.id, groupId, carl.id].flatMap((id) => expected.filter(([of]) => of === id)));
    },
  );

  test('an answer holds no more than a client can be expected to read at once; the rest is asked for as ever', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const long = '🙂'.repeat(10_000);
    for (let count = 0; count < 60; count++) await write(ann, bob, long);
    const { data, more } = await missed(bob, [{ receiverId: ann.id, afterRev: 0 }]);
    expect(data).toHaveLength(50);
    expect(more).toEqual([{ receiverId: ann.id, afterRev: 50 }]);
    expect((await missed(bob, more)).data).toHaveLength(10);
  });

  const receiverId = randomUUID();
  const groupId = randomUUID();
  const named = (count: number) => Array.from({ length: count }, () => ({ receiverId: randomUUID(), afterRev: 0 }));

  test('takes 100 cursors, and a dialog and a group whose ids are the same', async () => {
    const ann = await newPerson(server);
    expect((await ask(ann, named(100), { limit: 1 })).data).toEqual([]);
    const twins = [
      { receiverId, afterRev: 0 },
      { groupId: receiverId, afterRev: Number.MAX_SAFE_INTEGER },
    ];
    expect(await missed(ann, twins)).toMatchObject({ gone: [{ groupId: receiverId }], reset: [] });
  });

  test.each<[what: string, wrong: object, path: string]>([
    ['101 cursors', { cursors: named(101) }, 'cursors'],
    ['no list of cursors', { cursors: undefined }, 'cursors'],
    ['both ids', { cursors: [{ receiverId, groupId, afterRev: 0 }] }, 'cursors.0.receiverId'],
    ['neither id', { cursors: [...named(1), { afterRev: 0 }] }, 'cursors.1.receiverId'],
    ['two ids that are null', { cursors: [{ receiverId: null, groupId: null, afterRev: 0 }] }, 'cursors.0.receiverId'],
    [
      'a dialog twice',
      {
        cursors: [
          { receiverId, afterRev: 0 },
          { receiverId: receiverId.toUpperCase(), groupId: null, afterRev: 1 },
        ],
      },
      'cursors',
    ],
    [
      'a group twice',
      {
        cursors: [
          { groupId, afterRev: 0 },
          { groupId, afterRev: 0 },
        ],
      },
      'cursors',
    ],
    ['an id that is none', { cursors: [{ receiverId: 'me', afterRev: 0 }] }, 'cursors.0.receiverId'],
    ['an unknown field', { cursors: [{ receiverId, afterRev: 0, seq: 1 }] }, 'cursors.0.seq'],
    ['no afterRev', { cursors: [{ receiverId }] }, 'cursors.0.afterRev'],
    ['an afterRev below 0', { cursors: [{ receiverId, afterRev: -1 }] }, 'cursors.0.afterRev'],
    ['an afterRev that is a fraction', { cursors: [{ groupId, afterRev: 0.5 }] }, 'cursors.0.afterRev'],
    ['an afterRev that is no number', { cursors: [{ groupId, afterRev: '0' }] }, 'cursors.0.afterRev'],
    ['an afterRev that is too large', { cursors: [{ groupId, afterRev: 2 ** 53 }] }, 'cursors.0.afterRev'],
    ['the limit 0', { limit: 0 }, 'limit'],
    ['the limit 501', { limit: 501 }, 'limit'],
    ['no limit', { limit: undefined }, 'limit'],
    ['a changedSince that is no time', { changedSince: 'yesterday' }, 'changedSince'],
    ['a changedSince before 1970', { changedSince: '1969-12-31T23:59:59.999Z' }, 'changedSince'],
    ['no changedSince', { changedSince: undefined }, 'changedSince'],
  ])('%s: an error that names the field', async (_what, wrong, path) => {
    const ann = await newPerson(server);
    const failure = await ann.socket.fail('getMissed', { cursors: [], changedSince: null, limit: 10, ...wrong });
    expect(failure).toMatchObject({ code: 'invalid_params', issues: [{ path, message: expect.stringMatching(/./) }] });
    await ann.socket.close();
  });
});
