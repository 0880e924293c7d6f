import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call } from './support/http.ts';
import { A_TIME, add, leave, NASTY_TEXTS, newCircle, newPerson, type Person, UNCHANGED, write, writeToGroup } from './support/people.ts';
import { processorTimeOf } from './support/processorTime.ts';
import { startServer, type TestServer } from './support/server.ts';

const page = z.object({
  item: z.object({ nextCursor: z.string().nullable() }),
  data: z.array(z.looseObject({ messageId: z.string(), content: z.string(), createdAt: z.string() })),
});
const excerpts = z.array(z.strictObject({ text: z.string(), isMatch: z.boolean() }));
const body = z.object({ data: z.array(z.looseObject({ content: z.string() })), nextCursor: z.string().nullable() });

describe('searchMessages', () => {
  let server: TestServer;
  let [ann, bob, eve]: Person[] = [];
  const people = () => {
    if (!ann || !bob || !eve) throw new Error('nobody is there');
    return { ann, bob, eve };
  };
  beforeAll(async () => {
    server = await startServer();
    [ann, bob, eve] = [await newPerson(server, 'Ann', 'Archer'), await newPerson(server, 'Bob', null), await newPerson(server, 'Eve')];
  });
  afterAll(() => server.app.stop());

  const ask = async ({ socket }: Person, text: string, given: object = {}) =>
    page.parse(await socket.ask('searchMessages', { text, limit: 100, cursor: null, ...given }));
  const found = async (person: Person, text: string, given: object = {}) =>
    (await ask(person, text, given)).data.map(({ content }) => content);
  /** A word that nothing else here has. */
  const newWord = () => `w${randomUUID().slice(-12)}`;

  test('finds messages of dialogs and groups, newest first, with exactly the promised fields', async () => {
    const { ann, bob } = people();
    const word = newWord();
    const groupId = await newCircle(server, [ann, bob], 'Friends');
    const [question, answer] = [randomUUID(), randomUUID()];
    await write(ann, bob, `Where is ${word}?`, question);
    await writeToGroup(bob, groupId, `${word} is here`, answer);
    const { item, data } = await ask(ann, word);
    expect(item).toEqual({ nextCursor: null });
    const place = { seq: expect.any(Number), rev: expect.any(Number), createdAt: A_TIME };
    expect(data).toEqual([
      {
        companionId: null,
        groupId,
        receiverId: null,
        receiverName: null,
        groupName: 'Friends',
        messageId: answer,
        senderId: bob.id,
        senderName: 'Bob',
        senderLastName: null,
        notification: null,
        content: `${word} is here`,
        ...UNCHANGED,
        ...place,
        excerpt: [
          { text: word, isMatch: true },
          { text: ' is here', isMatch: false },
        ],
      },
      {
        companionId: bob.id,
        groupId: null,
        receiverId: bob.id,
        receiverName: 'Bob',
        groupName: null,
        messageId: question,
        senderId: ann.id,
        senderName: 'Ann',
        senderLastName: 'Archer',
        notification: null,
        content: `Where is ${word}?`,
        ...UNCHANGED,
        ...place,
        excerpt: [
          { text: 'Where is ', isMatch: false },
          { text: word, isMatch: true },
          { text: '?', isMatch: false },
        ],
      },
    ]);
    expect((await ask(bob, word)).data.map(({ companionId }) => companionId)).toEqual([null, ann.id]);
    expect(await found(ann, word, { receiverId: bob.id.toUpperCase() })).toEqual([`Where is ${word}?`]);
    expect(await found(ann, word, { groupId: groupId.toUpperCase() })).toEqual([`${word} is here`]);
  });

  test('takes null for the id that does not apply, and for both where all chats are searched', async () => {
    const { ann, bob } = people();
    const word = newWord();
    const groupId = await newCircle(server, [ann, bob]);
    await write(ann, bob, `In the dialog: ${word}`);
    await writeToGroup(bob, groupId, `In the group: ${word}`);
    expect(await found(ann, word, { receiverId: bob.id, groupId: null })).toEqual([`In the dialog: ${word}`]);
    expect(await found(ann, word, { receiverId: null, groupId })).toEqual([`In the group: ${word}`]);
    expect(await found(ann, word, { receiverId: null, groupId: null })).toHaveLength(2);
    expect(await ann.socket.fail('searchMessages', { text: word, limit: 1, cursor: null, receiverId: bob.id, groupId })).toMatchObject({
      code: 'invalid_params',
      issues: [{ path: 'groupId', message: 'must not be given where receiverId is' }],
    });
  });

  test('does the same over HTTP', async () => {
    const { ann, bob } = people();
    const word = newWord();
    const groupId = await newCircle(server, [ann, bob]);
    await write(ann, bob, `${word} one`);
    await writeToGroup(ann, groupId, `${word} two`);
    const get = async (given: Record<string, string>) =>
      body.parse((await call(server, 'GET', `/messages/search?${new URLSearchParams(given)}`, { token: bob.token })).body);
    const { data } = await ask(bob, word);
    expect(await get({ text: word })).toEqual({ data, nextCursor: null });
    expect(await get({ text: word, userId: ann.id })).toEqual({ data: data.slice(1), nextCursor: null });
    expect(await get({ text: word, groupId })).toEqual({ data: data.slice(0, 1), nextCursor: null });
    const first = await get({ text: word, limit: '1' });
    expect(first.data).toEqual(data.slice(0, 1));
    expect(await get({ text: word, limit: '1', cursor: first.nextCursor ?? '' })).toEqual({ data: data.slice(1), nextCursor: null });
  });

  test.each([
    ['Тёплый ПРИВЕТ, Фёдор', ['привет', 'ПРИВЕТ', 'теплый', 'тёплый', 'федор', 'фёд']],
    ['Café chez Émilie', ['cafe', 'CAFÉ', 'cafe\u0301', 'émilie', 'emi']],
    ['Cafe\u0301 chez E\u0301milie', ['cafe', 'CAFÉ', 'emilie']],
    ['İpekçi ile', ['ipekci', 'İPEKÇİ', 'ipek']],
    ['Die Straße nach Großmann', ['strasse', 'STRASSE', 'straße', 'gross']],
    ['Ο Οδυσσέας εδώ', ['ΟΔΥΣΣΕΑΣ', 'οδυσσεας', 'οδυσσέας', 'οδυσ']],
    ['안녕 김민준', ['안녕', '김민', '김민준'.normalize('NFD')]],
    ['안녕 박서연'.normalize('NFD'), ['박서연', '박서연'.normalize('NFD')]],
    ['山田太郎、東京にいます', ['山田', '山田太郎', '東京']],
    ['مرحبا محمود', ['محمود', 'مرحبا']],
    ['नमस्ते दीपिका', ['दीपिका', 'नमस्ते']],
    ['See https://example.com/some/page-one?x=quux#top', ['example', 'page', 'one', 'quux', 'com some', 'example.com', 'some/page-one']],
    ['write to ann@example.org, now', ['ann@example.org', 'example.org', 'org']],
    ['3.14 or -17 on 2026-01-31 at 10:45', ['3.14', '17', '2026-01-31', '01', '10:45', '45']],
    ['stop.Then go,there', ['then', 'stop', 'go', 'there']],
    ['snake_case <b>bold</b> a&b ~/home', ['snake', 'case', 'bold', 'a b', 'home']],
    ["don't «quote» “me”—please…", ["don't", 'quote', 'me', 'please']],
    ['Zoë😀smiles', ['zoe', 'smiles', '😀 zoe']],
  ])('finds %s in any case, script and spelling', async (content, texts) => {
    const { ann, bob } = people();
    await write(ann, bob, content);
    for (const text of texts) expect({ text, found: await found(bob, text) }).toEqual({ text, found: expect.arrayContaining([content]) });
  });

  test('finds what has all the words, in any order, the last one as the beginning of a word', async () => {
    const { ann, bob } = people();
    const word = newWord();
    const contents = [`${word} hello world`, `hello ${word}`, `${word} wor`];
    for (const content of contents) await write(ann, bob, content);
    const some = async (text: string) => new Set(await found(ann, text));
    expect(await some(`${word} hel`)).toEqual(new Set(contents.slice(0, 2)));
    expect(await some(`HELLO ${word.slice(0, 11)}`)).toEqual(new Set(contents.slice(0, 2)));
    expect(await some(`wor ${word}`)).toEqual(new Set(contents.slice(2)));
    expect(await some(`${word} wor`)).toEqual(new Set([contents[0], contents[2]]));
    expect(await some(`world hello ${word}`)).toEqual(new Set(contents.slice(0, 1)));
    expect(await some(`hel ${word}`)).toEqual(new Set());
    expect(await some(`${word} ello`)).toEqual(new Set());
    expect(await some(`${word} ${word} ${word}`)).toEqual(new Set(contents));
  });

  test('takes what means something to a query as text', async () => {
    const { ann, bob } = people();
    const word = newWord();
    for (const text of NASTY_TEXTS) await write(ann, bob, `${word} ${text}`);
    for (const text of NASTY_TEXTS) {
      expect(await found(ann, `${text} ${word}`)).toContain(`${word} ${text}`);
      expect(await found(ann, text)).toContain(`${word} ${text}`);
    }
    const all = await found(ann, word);
    for (const text of [
      `!${word}`,
      `${word}:*`,
      `(${word})`,
      `${word} & `,
      `'${word}'`,
      `"${word}"`,
      `${word}\\`,
      `* | ${word}`,
      `%${word}_`,
    ]) {
      expect({ text, found: await found(ann, text) }).toEqual({ text, found: all });
    }
    for (const text of [`${word} | nothing`, `nothing|${word}`, `nothing <-> ${word}`, `${word}:nothing`]) {
      expect(await found(ann, text)).toEqual([]);
    }
  });

  test.each([
    ['no text', { text: undefined }, 'text'],
    ['an empty text', { text: '' }, 'text'],
    ['a text without a letter or a digit', { text: ' ?! 😀 ' }, 'text'],
    ['101 characters', { text: 'x'.repeat(101) }, 'text'],
    ['a NUL character', { text: 'a\0b' }, 'text'],
    ['a limit of 0', { limit: 0 }, 'limit'],
    ['a limit of 101', { limit: 101 }, 'limit'],
    ['no cursor', { cursor: undefined }, 'cursor'],
    ['a cursor that was not given', { cursor: 'x' }, 'cursor'],
    ['a time as cursor', { cursor: '2026-01-31T12:00:00.000Z' }, 'cursor'],
    ['a cursor with a wrong id', { cursor: Buffer.from('2026-01-31T12:00:00.000Z 7').toString('base64url') }, 'cursor'],
    ['two conversations', { receiverId: randomUUID(), groupId: randomUUID() }, 'groupId'],
  ])('does not take %s', async (_what, given, path) => {
    const { ann } = people();
    const { code, issues } = await ann.socket.fail('searchMessages', { text: 'x', limit: 10, cursor: null, ...given });
    expect({ code, paths: new Set(issues?.map((issue) => issue.path)) }).toEqual({ code: 'invalid_params', paths: new Set([path]) });
  });

  test('over HTTP names the fields of the query', async () => {
    const { ann } = people();
    for (const [given, path] of [
      ['limit=10', 'text'],
      ['text=x&cursor=x', 'cursor'],
      ['text=x&cursor=', 'cursor'],
      ['text=x&limit=0', 'limit'],
      ['text=x&userId=7', 'userId'],
      [`text=x&userId=${randomUUID()}&groupId=${randomUUID()}`, 'groupId'],
    ] as const) {
      const answer = await call(server, 'GET', `/messages/search?${given}`, { token: ann.token });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_params', errors: [{ path }] } });
    }
  });

  test('finds an edited message by its new words alone, and a deleted one not at all', async () => {
    const { ann, bob } = people();
    const [before, after] = [newWord(), newWord()];
    const [edited, deleted] = [randomUUID(), randomUUID()];
    await write(ann, bob, before, edited);
    await write(ann, bob, `${before} ${after}`, deleted);
    const of = [dialogId(ann.id, bob.id)];
    await query(server.databaseUrl, 'UPDATE messages SET content = $3, edited_at = now() WHERE conversation_id = $1 AND id = $2', [
      ...of,
      edited,
      after,
    ]);
    await query(server.databaseUrl, "UPDATE messages SET content = '', deleted_at = now() WHERE conversation_id = $1 AND id = $2", [
      ...of,
      deleted,
    ]);
    expect(await found(bob, before)).toEqual([]);
    expect(await found(bob, after)).toEqual([after]);
  });

  test('finds nothing of what I have deleted, and the other one does', async () => {
    const { ann, bob } = people();
    const word = newWord();
    await write(ann, bob, `${word} before`);
    await call(server, 'DELETE', `/dialogs/${bob.id}`, { token: ann.token });
    expect(await found(ann, word)).toEqual([]);
    expect(await found(ann, word, { receiverId: bob.id })).toEqual([]);
    await write(bob, ann, `${word} after`);
    expect(await found(ann, word)).toEqual([`${word} after`]);
    expect(await found(ann, word, { receiverId: bob.id })).toEqual([`${word} after`]);
    expect(await found(bob, word)).toEqual([`${word} after`, `${word} before`]);
  });

  test('finds nothing of a group that I have left, nor of what was never mine', async () => {
    const { ann, bob, eve } = people();
    const word = newWord();
    const groupId = await newCircle(server, [ann, eve]);
    await writeToGroup(ann, groupId, `${word} in the group`);
    await write(ann, bob, `${word} in the dialog`);
    expect(await found(eve, word)).toEqual([`${word} in the group`]);
    await leave(eve, groupId);
    expect(await found(eve, word)).toEqual([]);
    expect(await found(eve, word, { receiverId: ann.id })).toEqual([]);
    for (const id of [groupId, randomUUID(), dialogId(ann.id, bob.id)]) {
      const { code } = await eve.socket.fail('searchMessages', { text: word, limit: 10, cursor: null, groupId: id });
      expect(code).toBe('not_a_member');
    }
    await add(ann, groupId, eve);
    expect(await found(eve, word, { groupId })).toEqual([`${word} in the group`]);
    await ann.socket.ask('dropGroup', { groupId });
    expect(await found(eve, word)).toEqual([]);
    expect(await found(ann, word)).toEqual([`${word} in the dialog`]);
  });

  test('shows the passage that was found as plain text, with all its matches marked', async () => {
    const { ann, bob } = people();
    const word = newWord();
    const excerptOf = async (content: string, text = word) => {
      const messageId = randomUUID();
      await write(ann, bob, content, messageId);
      return excerpts.parse((await ask(bob, text)).data.find((row) => row.messageId === messageId)?.excerpt);
    };
    const matches = async (content: string, text?: string) =>
      (await excerptOf(content, text)).flatMap(({ text, isMatch }) => (isMatch ? [text] : []));
    expect(await matches(`${word}, ${word.toUpperCase()}s and Café, not x${word}`, `CAFE ${word}`)).toEqual([
      word,
      `${word.toUpperCase()}s`,
      'Café',
    ]);
    expect(await excerptOf(`<b>${word}</b><script>`)).toEqual([
      { text: '<b>', isMatch: false },
      { text: word, isMatch: true },
      { text: '</b><script>', isMatch: false },
    ]);
    const long = await excerptOf(`${'🙂'.repeat(300)} ${word} ${'y'.repeat(300)}`);
    expect(long.map(({ isMatch }) => isMatch)).toEqual([false, true, false]);
    const shown = long.map(({ text }) => text).join('');
    expect(shown).toMatch(new RegExp(`^…🙂+ ${word} y+…$`, 'u'));
    expect(shown.length).toBeLessThanOrEqual(162);
    expect(shown.isWellFormed()).toBe(true);
    expect(await excerptOf(`Æther ${word}`, `aether ${word}`)).toEqual([
      { text: 'Æther ', isMatch: false },
      { text: word, isMatch: true },
    ]);
    expect(await matches('x'.repeat(500), 'xxx')).toEqual(['x'.repeat(160)]);
  });

  test('shows and marks what is at the end of the searched beginning of a long message, and nothing beyond it', async () => {
    const own = await startServer({ MAX_MESSAGE_LENGTH: '20000' }, server.databaseUrl);
    const [carl, dora] = [await newPerson(own), await newPerson(own)];
    const word = newWord();
    const shown = async (content: string, text: string) => {
      await write(carl, dora, content);
      return (await ask(dora, text)).data.map(({ excerpt }) => excerpts.parse(excerpt));
    };
    // 10,000 characters, and more than that as JavaScript counts them.
    expect(await shown(`${'🙂'.repeat(9_986)} ${word} ${'y'.repeat(5_000)}`, word)).toEqual([
      [
        { text: `…${'🙂'.repeat(20)} `, isMatch: false },
        { text: word, isMatch: true },
        { text: ` ${'y'.repeat(105)}…`, isMatch: false },
      ],
    ]);
    // The database takes one for the other.
    expect(await shown(`Æther ${'x '.repeat(6_000)}aether`, 'aether')).toEqual([[{ text: `Æther ${'x '.repeat(77)}…`, isMatch: false }]]);
    await own.app.stop();
  });

  test('takes the server no more time for a letter with thousands of marks than for as many letters', async () => {
    const { ann, bob } = people();
    async function costOf(long: string): Promise<number> {
      const word = newWord();
      for (let count = 0; count < 5; count++) await write(ann, bob, `${word} ${long}`);
      return processorTimeOf(async () => {
        expect(await found(bob, word)).toHaveLength(5);
      });
    }
    const usual = await costOf('é'.repeat(9_900));
    expect(await costOf(`e${'\u0316\u0301'.repeat(4_950)}`)).toBeLessThan(10 * usual);
  });

  test('the server itself makes messages known to the index when they are older', async () => {
    const { ann, bob } = people();
    const messageId = randomUUID();
    const word = newWord();
    await write(ann, bob, word, messageId);
    const conversation = [dialogId(ann.id, bob.id), messageId];
    // As if it had been sent earlier: nobody waits for it to age.
    await query(
      server.databaseUrl,
      "UPDATE messages SET created_at = created_at - interval '1 h' WHERE conversation_id = $1 AND id = $2",
      conversation,
    );
    // Under the lock of those who index: one that is at it could set the progress on again.
    const back = "SELECT pg_advisory_xact_lock(7301927); UPDATE search_progress SET indexed_until = now() - interval '2 h'";
    await query(server.databaseUrl, back);
    const known = 'SELECT FROM searched_messages JOIN messages USING (conversation_id, created_at) WHERE conversation_id = $1 AND id = $2';
    await eventually(async () => expect(await query(server.databaseUrl, known, conversation)).toHaveLength(1));
    expect(await found(bob, word)).toEqual([word]);
  });

  test('finds what tells of a change of a group, and notes to myself', async () => {
    const { ann } = people();
    const word = newWord();
    const groupId = await newCircle(server, [ann], 'Alone');
    const message = `${word} left`;
    await write(ann, ann, `${word} to do`);
    const bob = await newPerson(server);
    await ann.socket.ask('addUserInGroup', { groupId, userId: bob.id, messageId: randomUUID(), message });
    expect((await ask(ann, word)).data).toMatchObject([
      { content: message, notification: true, groupId },
      { content: `${word} to do`, notification: null, companionId: ann.id, groupId: null },
    ]);
  });
});

/** Something that was said: in which chat, at which millisecond, and the words. */
interface Said {
  chat: number;
  at: number;
  content: string;
}

describe('pages of a search', () => {
  const BEGIN = Date.parse('2026-01-31T12:00:00.000Z');
  let server: TestServer;
  let me: Person;
  /** Three chats of mine and one of others; I have deleted the third one up to `CLEARED`. */
  let chats: { id: string; name: object }[];
  const CLEARED = 20;
  let client: pg.Client;
  beforeAll(async () => {
    server = await startServer();
    client = new pg.Client({ connectionString: server.databaseUrl });
    await client.connect();
    // What is indexed is decided here, and not by the server.
    await run('SELECT pg_advisory_lock(7301927)', []);
    const [ann, bob, eve] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    me = await newPerson(server);
    for (const other of [ann, bob]) await write(me, other, 'Begun');
    const groupId = await newCircle(server, [me, ann]);
    await write(ann, eve, 'Begun');
    chats = [
      { id: dialogId(me.id, ann.id), name: { receiverId: ann.id } },
      { id: groupId, name: { groupId } },
      { id: dialogId(me.id, bob.id), name: { receiverId: bob.id } },
      { id: dialogId(ann.id, eve.id), name: { receiverId: eve.id } },
    ];
    const clearedAt = new Date(BEGIN + CLEARED);
    await run('UPDATE members SET cleared_at = $3 WHERE conversation_id = $1 AND user_id = $2', [chats[2]?.id, me.id, clearedAt]);
  });
  afterAll(async () => {
    await client.end();
    await server.app.stop();
  });

  const run = async (sql: string, values: unknown[]): Promise<Record<string, unknown>[]> => (await client.query(sql, values)).rows;

  /** Leaves nothing in the database but these messages, of which the older ones are indexed. */
  async function say(said: Said[], indexed: number): Promise<void> {
    const until = new Date(BEGIN + indexed);
    await run('DELETE FROM messages', []);
    await run('DELETE FROM searched_messages', []);
    await run(
      `INSERT INTO messages (conversation_id, created_at, id, sender_id, seq, rev, notification, content, updated_at)
       SELECT conversation_id, created_at, gen_random_uuid(), $4, number, number, false, content, created_at
       FROM unnest($1::uuid[], $2::timestamptz[], $3::text[]) WITH ORDINALITY AS said (conversation_id, created_at, content, number)`,
      [said.map(({ chat }) => chats[chat]?.id), said.map(({ at }) => new Date(BEGIN + at)), said.map(({ content }) => content), me.id],
    );
    await run(
      "UPDATE conversations SET last_message_at = coalesce((SELECT max(created_at) FROM messages WHERE conversation_id = conversations.id), 'epoch')",
      [],
    );
    await run("SELECT index_messages('-infinity', $1)", [until]);
    await run('UPDATE search_progress SET indexed_until = $1', [until]);
  }

  /** What is to be found in these chats, in its order. */
  function expected(said: Said[], among: number[], isMatch: (words: string[]) => boolean): string[] {
    const visible = said.filter(({ chat, at }) => among.includes(chat) && chat !== 3 && (chat !== 2 || at > CLEARED));
    const places = visible.filter(({ content }) => isMatch(content.split(' '))).map(({ chat, at }) => ({ at, id: chats[chat]?.id ?? '' }));
    return places.sort((one, other) => other.at - one.at || (one.id < other.id ? 1 : -1)).map(({ at, id }) => `${at} ${id}`);
  }
  const SEARCHES: [text: string, isMatch: (words: string[]) => boolean][] = [
    ['alp', (words) => words.some((word) => word.startsWith('alp'))],
    ['alpha bet', (words) => words.includes('alpha') && words.some((word) => word.startsWith('bet'))],
    ['gamma', (words) => words.includes('gamma')],
  ];

  const word = fc.constantFrom('alpha', 'alpine', 'beta', 'better', 'gamma');
  const content = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
  const at = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 1e10 }));
  const conversation = fc.uniqueArray(fc.record({ chat: fc.integer({ min: 0, max: 3 }), at, content }), {
    selector: ({ chat, at }) => `${chat} ${at}`,
    maxLength: 60,
  });

  test('hold each match once and in order, in all chats and in each, whatever is indexed already', async () => {
    const property = fc.asyncProperty(
      conversation,
      at,
      fc.constantFrom(...SEARCHES),
      fc.integer({ min: 1, max: 7 }),
      async (said, indexed, [text, isMatch], limit) => {
        await say(said, indexed);
        for (const among of [[0, 1, 2, 3], [0], [1], [2], [3]]) {
          const name = among.length === 1 ? chats[among[0] ?? 0]?.name : {};
          const rows = await readAll(me, text, { limit, ...name });
          const found = rows.map(
            ({ createdAt, companionId, groupId }) => `${Date.parse(createdAt) - BEGIN} ${groupId ?? dialogId(me.id, String(companionId))}`,
          );
          expect(found).toEqual(expected(said, among, isMatch));
        }
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });

  test('hold each match once and in order where messages are gone through, however few at a time', async () => {
    const walk = `SELECT found.id, found.at, walked.since::text FROM walk_messages($1, message_query($2), NULL, $3, $4, $5, 100) walked
      LEFT JOIN LATERAL unnest(walked.ids, walked.times) AS found (id, at) ON true`;
    const property = fc.asyncProperty(
      conversation,
      fc.constantFrom(...SEARCHES),
      fc.integer({ min: 1, max: 30 }),
      async (said, [text, isMatch], most) => {
        await say(said, 0);
        const found: string[] = [];
        for (let before = 'infinity', steps = 0; before !== '-infinity'; steps++) {
          const rows = await run(walk, [me.id, text, before, '00000000-0000-0000-0000-000000000000', most]);
          found.push(...rows.flatMap(({ id, at }) => (at instanceof Date ? [`${at.getTime() - BEGIN} ${id}`] : [])));
          before = String(rows[0]?.since);
          expect(steps).toBeLessThanOrEqual(said.length);
        }
        expect(found).toEqual(expected(said, [0, 1, 2], isMatch));
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });
});

/** All that is found, page by page. */
async function readAll({ socket }: Person, text: string, given: object) {
  const rows: z.output<typeof page>['data'] = [];
  for (let cursor: string | null = null, pages = 0; ; pages++) {
    const { item, data }: z.output<typeof page> = page.parse(await socket.ask('searchMessages', { text, ...given, cursor }));
    rows.push(...data);
    if (item.nextCursor === null) return rows;
    if (pages > 1_000) throw new Error('the pages do not end');
    cursor = item.nextCursor;
  }
}
