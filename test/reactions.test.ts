import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emoji as emojiSchema } from '../src/features/reactions/emoji.ts';
import { query } from './support/database.ts';
import { add, newPerson, type Person } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { KINDS, Talk } from './support/talks.ts';

const EMOJIS = ['👍', '👍🏽', '❤️', '❤', '👩‍🚀', '👩‍❤️‍💋‍👨', '🏳️‍🌈', '🇫🇷', '🏴󠁧󠁢󠁷󠁬󠁳󠁿', '1️⃣', '#⃣', '⛹🏿‍♂️', '©️'];
/** As some systems write them, and as Unicode does. */
const FORMS = [
  ['\u2764', '\u2764\ufe0f'],
  ['\u2764\u200d🔥', '\u2764\ufe0f\u200d🔥'],
  ['#\u20e3', '#\ufe0f\u20e3'],
  ['⛹🏿\u200d\u2642', '⛹🏿\u200d\u2642\ufe0f'],
  ['🏳\u200d🌈', '🏳\ufe0f\u200d🌈'],
  ['👍\ufe0f', '👍'],
] as const;
const OTHERS = [
  '',
  ' ',
  'a',
  '1',
  '#',
  '👍👍',
  '👍 ',
  ' 👍',
  '👍a',
  'a👍',
  '🇫',
  '🇫🇷🇩',
  '👍\u0301',
  '\u200d',
  '\ufe0f',
  '👍\u200d',
  '🏽',
  ':)',
  '👍\0',
  '\ud83d',
];
const many = Array.from({ length: 21 }, (_, index) => String.fromCodePoint(0x1f600 + index));
const graphemes = new Intl.Segmenter();

describe('an emoji', () => {
  test.each(EMOJIS)('is %s', (text) => {
    expect(emojiSchema.safeParse(text).success).toBe(true);
  });

  test.each(OTHERS)('is not %j', (text) => {
    expect(emojiSchema.safeParse(text).success).toBe(false);
  });

  test('is one grapheme, and has at most 64 UTF-16 units', () => {
    const parts = [...EMOJIS.flatMap((text) => [...text]), '\u200d', '\u0301', 'a'];
    const text = fc.array(fc.constantFrom(...parts, '👩\u200d'), { minLength: 1, maxLength: 40 }).map((some) => some.join(''));
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary', minLength: 1, maxLength: 3 })), (text) => {
        if (!emojiSchema.safeParse(text).success) return;
        expect([...graphemes.segment(text)]).toHaveLength(1);
        expect(text.length).toBeLessThanOrEqual(64);
      }),
      { numRuns: 5_000 },
    );
    expect([15, 16].map((count) => emojiSchema.safeParse(`${'👩\u200d'.repeat(count)}👩`).success)).toEqual([true, false]);
  });
});

describe('reactions', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    server = await startServer();
    [ann, bob] = [await newPerson(server), await newPerson(server)];
  });
  afterAll(() => server.app.stop());

  const give = (talk: Talk, by: Person, messageId: string, emoji: string) => talk.ask(by, 'addReaction', messageId, { emoji });
  const takeBack = (talk: Talk, by: Person, messageId: string, emoji: string) => talk.ask(by, 'removeReaction', messageId, { emoji });

  test.for(KINDS)('in a %s: are counted, in the order in which each was given first, and each reader sees his own', async (kind) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    await give(talk, bob, messageId, '❤️');
    await give(talk, ann, messageId, '👍');
    await give(talk, bob, messageId, '👍');
    const { item } = await give(talk, ann, messageId, '😀');
    const seen = (mine: [boolean, boolean, boolean]) => [
      { emoji: '❤️', count: 1, mine: mine[0] },
      { emoji: '👍', count: 2, mine: mine[1] },
      { emoji: '😀', count: 1, mine: mine[2] },
    ];
    expect(item).toMatchObject({ messageId, reactions: seen([false, true, true]) });
    for (const row of await talk.newest(ann)) expect(row.reactions).toEqual(seen([false, true, true]));
    for (const row of await talk.newest(bob)) expect(row.reactions).toEqual(seen([true, true, false]));
    await takeBack(talk, bob, messageId, '❤️');
    const { item: left } = await takeBack(talk, bob, messageId, '👍');
    expect(left).toMatchObject({
      reactions: [
        { emoji: '👍', count: 1, mine: false },
        { emoji: '😀', count: 1, mine: false },
      ],
    });
    await give(talk, bob, messageId, '❤️');
    expect((await talk.history(bob))[0]?.reactions).toEqual([
      { emoji: '👍', count: 1, mine: false },
      { emoji: '😀', count: 1, mine: false },
      { emoji: '❤️', count: 1, mine: true },
    ]);
  });

  test.for(KINDS)('in a %s: are one for who sees one, however it is written, and are taken back in either form', async (kind) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    for (const [plain, qualified] of FORMS) {
      await give(talk, ann, messageId, plain);
      const { item } = await give(talk, bob, messageId, qualified);
      expect(item).toMatchObject({ reactions: [{ emoji: qualified, count: 2, mine: true }] });
      const again = await give(talk, ann, messageId, qualified);
      expect(again.item).toMatchObject({ reactions: [{ emoji: qualified, count: 2, mine: true }] });
      await takeBack(talk, ann, messageId, qualified);
      expect(await takeBack(talk, bob, messageId, plain)).toMatchObject({ item: { reactions: [] } });
    }
  });

  test('of others are not taken back', async () => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    const { item } = await give(talk, ann, messageId, '👍');
    expect(await takeBack(talk, bob, messageId, '👍')).toMatchObject({
      item: { ...item, reactions: [{ emoji: '👍', count: 1, mine: false }] },
    });
  });

  test('have up to 20 different emojis, which everybody may give', async () => {
    const talk = await Talk.begin(server, 'group', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    const last = many.at(-1) ?? '';
    for (const [index, emoji] of many.slice(0, 20).entries()) await give(talk, index < 10 ? ann : bob, messageId, emoji);
    for (const by of [ann, bob]) expect(await talk.refusal(by, 'addReaction', messageId, { emoji: last })).toBe('too_many_reactions');
    await give(talk, bob, messageId, many[0] ?? '');
    await takeBack(talk, ann, messageId, many[1] ?? '');
    await give(talk, ann, messageId, last);
    const [row] = await talk.history(bob);
    expect(row?.reactions).toHaveLength(20);
  });

  test('of one person are 10 different ones at most, and those that others gave first', async () => {
    const talk = await Talk.begin(server, 'group', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    const [first = '', ...others] = many.slice(0, 11);
    for (const emoji of others) await give(talk, ann, messageId, emoji);
    expect(await talk.refusal(ann, 'addReaction', messageId, { emoji: first })).toBe('too_many_reactions');
    await give(talk, bob, messageId, first);
    const { item } = await give(talk, ann, messageId, first);
    expect(item).toMatchObject({ reactions: [...others.map((emoji) => ({ emoji, count: 1 })), { emoji: first, count: 2 }] });
  });

  test.each([['👍👍'], ['like'], [''], [7], [undefined]])('are no %j', async (emoji) => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    for (const type of ['addReaction', 'removeReaction'])
      expect(await talk.refusal(ann, type, messageId, { emoji })).toBe('invalid_params');
  });

  test('of 10,000 members are one number', async () => {
    const talk = await Talk.begin(server, 'group', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    await query(
      server.databaseUrl,
      `WITH given AS (
         INSERT INTO reactions (conversation_id, message_id, user_id, emoji)
         SELECT $1, $2, gen_random_uuid(), '👍' FROM generate_series(1, 10000)
       ) UPDATE messages SET reactions = '[{"emoji": "👍", "count": 10000}]' WHERE conversation_id = $1 AND id = $2`,
      [talk.groupId, messageId],
    );
    expect((await talk.history(bob))[0]?.reactions).toEqual([{ emoji: '👍', count: 10_000, mine: false }]);
    expect(await give(talk, bob, messageId, '👍')).toMatchObject({ item: { reactions: [{ emoji: '👍', count: 10_001, mine: true }] } });
    await talk.ask(ann, 'deleteMessage', messageId);
    expect(await query(server.databaseUrl, 'SELECT FROM reactions WHERE message_id = $1', [messageId])).toEqual([]);
  });

  /** What a message has: who gave each emoji, in the order of the first of each. */
  type Model = Map<string, Set<number>>;
  function apply(model: Model, who: number, emoji: string, isAdded: boolean): void {
    const givers = model.get(emoji) ?? new Set();
    if (isAdded) model.set(emoji, givers.add(who));
    else givers.delete(who);
    if (givers.size === 0) model.delete(emoji);
  }

  test('are what was given and not taken back, whatever was done', async () => {
    const eve = await newPerson(server);
    const talk = await Talk.begin(server, 'group', [ann, bob]);
    await add(ann, talk.groupId ?? '', eve);
    const people = [ann, bob, eve];
    const deed = fc.record({ who: fc.nat(2), emoji: fc.constantFrom('👍', '❤️', '😀'), isAdded: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 15 }), async (deeds) => {
        const messageId = await talk.say(ann, 'Hello');
        const model: Model = new Map();
        for (const { who, emoji, isAdded } of deeds) {
          await talk.ask(people[who] ?? ann, isAdded ? 'addReaction' : 'removeReaction', messageId, { emoji });
          apply(model, who, emoji, isAdded);
        }
        for (const [who, person] of people.entries()) {
          const expected = [...model].map(([emoji, givers]) => ({ emoji, count: givers.size, mine: givers.has(who) }));
          expect((await talk.history(person))[0]).toMatchObject({ messageId, reactions: expected });
        }
      }),
      { numRuns: 15 },
    );
  });
});
