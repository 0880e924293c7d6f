import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Counts } from '../torture/counts.ts';
import type { Fault } from '../torture/faults/fault.ts';
import { schedule } from '../torture/faults/play.ts';
import { readOptions } from '../torture/options.ts';
import { Random } from '../torture/random.ts';
import { Story } from './support/story.ts';

const STORED = 'every acknowledged message is stored';
const ACKNOWLEDGED = 'every message is acknowledged in the end';
const NUMBERS = 'seq is 1, 2, 3… without gaps';
const REVS = 'rev is 1, 2, 3… without gaps, and of one change';
const LAST = 'a conversation knows its last seq and time';
const TIMES = 'createdAt is strictly increasing by seq';
const TWICE = 'no message is stored twice';
const ORIGIN = 'what is stored was sent so';
const TEXT = 'what is stored was sent so, or edited so';
const PIPELINE = 'messages of one connection are stored in the order in which they were sent';
const REAL_TIME = 'what was begun after a message was acknowledged is stored after it';
const THEIRS = 'nobody receives what is not theirs, nor what they sent';
const BROADCAST = 'every broadcast is a stored message';
const ONCE = 'a connection receives each message once';
const ORDER = 'a connection receives in the stored order what one server stored';
const MISSED = 'an open connection misses no message';
const ROW = 'every row of a page is a stored message';
const PAGES = 'pages have the stored order, without gaps';
const FRESH = 'a page shows what was acknowledged before';
const WHOLE = 'all pages hold all messages';
const NOW = 'pages show messages as they are';
const CHATS = 'a chat list shows the last message of each conversation';
const UNREAD = 'a chat list says how many messages are unread';

/** Makes two messages change places, in all but their numbers and times. */
function swap(story: Story, one: number, other: number): void {
  const [first, second] = [story.message(one), story.message(other)];
  const { messageId, content } = first;
  Object.assign(first, { messageId: second.messageId, content: second.content });
  Object.assign(second, { messageId, content });
}

const rows: [what: string, change: (story: Story) => void, broken: string[]][] = [
  ['nothing where nothing is wrong', () => {}, []],
  [
    'an acknowledged message that is not stored',
    (story) => story.stored.messages.splice(2, 1),
    [NUMBERS, REVS, LAST, STORED, BROADCAST, ROW, WHOLE],
  ],
  [
    'the last message, lost as if it had never been',
    (story) => {
      story.stored.messages.pop();
      Object.assign(story.stored, { lastSeq: 4, lastRev: 4, lastMessageAt: 4 });
      story.read.rows.shift();
      story.chat.rev = 4;
      story.ofBob.broadcasts.pop();
    },
    [STORED, MISSED],
  ],
  ['a message that was never acknowledged', (story) => Object.assign(story.send(5), { acknowledgedAt: undefined }), [ACKNOWLEDGED]],
  [
    'a message that is stored twice under one id',
    (story) => {
      story.stored.messages.push({ ...story.message(5), seq: 6, rev: 6, createdAt: 6 });
      Object.assign(story.stored, { lastSeq: 6, lastRev: 6, lastMessageAt: 6 });
    },
    [TWICE, BROADCAST, ROW, PAGES, WHOLE, NOW, CHATS],
  ],
  [
    'a message that is stored under an id that nobody sent',
    (story) => Object.assign(story.message(5), { messageId: randomUUID() }),
    [ORIGIN, STORED, BROADCAST, ROW, CHATS],
  ],
  [
    'a message that is stored with another text',
    (story) => Object.assign(story.message(2), { content: 'Bye' }),
    [TEXT, BROADCAST, ROW, NOW],
  ],
  ['a gap in seq', (story) => Object.assign(story.message(5), { seq: 6 }), [NUMBERS, BROADCAST, ROW, PAGES, NOW, CHATS, UNREAD]],
  ['a gap in rev', (story) => Object.assign(story.message(5), { rev: 6 }), [REVS, BROADCAST, ROW, NOW, CHATS]],
  ['a last_seq that is behind', (story) => Object.assign(story.stored, { lastSeq: 4 }), [LAST, UNREAD]],
  ['a last_rev that is behind', (story) => Object.assign(story.stored, { lastRev: 4 }), [REVS, CHATS]],
  ['two messages of one time', (story) => Object.assign(story.message(3), { createdAt: 2 }), [TIMES, BROADCAST, ROW, NOW]],
  [
    'messages stored in another order than acknowledged, sent, broadcast and read',
    (story) => swap(story, 2, 3),
    [REAL_TIME, PIPELINE, BROADCAST, ORDER, ROW, PAGES, NOW],
  ],
  [
    'messages under way at once, stored in another order than sent',
    (story) => {
      swap(story, 2, 3);
      Object.assign(story.send(2), { acknowledgedAt: story.send(3).acknowledgedAt });
      story.ofBob.broadcasts = [1, 2, 3, 4, 5].map((seq) => story.heard(seq));
      story.read.rows = [5, 4, 3, 2, 1].map((seq) => story.heard(seq));
    },
    [PIPELINE],
  ],
  ['a broadcast that came twice', (story) => story.ofBob.broadcasts.splice(3, 0, story.heard(3)), [ONCE, ORDER]],
  ['broadcasts in another order than stored', (story) => story.ofBob.broadcasts.reverse(), [ORDER]],
  ['a broadcast that never came', (story) => story.ofBob.broadcasts.splice(2, 1), [MISSED]],
  ['a broadcast with another text', (story) => story.ofBob.broadcasts.splice(2, 1, { ...story.heard(3), content: 'Bye' }), [BROADCAST]],
  ['a broadcast with another time', (story) => story.ofBob.broadcasts.splice(2, 1, { ...story.heard(3), createdAt: 9 }), [BROADCAST]],
  ['a broadcast with another rev', (story) => story.ofBob.broadcasts.splice(2, 1, { ...story.heard(3), rev: 4 }), [BROADCAST]],
  [
    'a broadcast of what is stored nowhere',
    (story) => story.ofBob.broadcasts.push({ ...story.heard(5), messageId: randomUUID() }),
    [BROADCAST],
  ],
  ['a broadcast to somebody who is not in the conversation', (story) => story.stranger().broadcasts.push(story.heard(5)), [THEIRS]],
  ['a broadcast to the sender', (story) => story.ofAnn.broadcasts.push(story.heard(5)), [THEIRS]],
  ['a page that leaves a message out', (story) => story.read.rows.splice(2, 1), [PAGES, WHOLE]],
  ['a page with a message twice', (story) => story.read.rows.splice(2, 0, story.heard(3)), [PAGES, WHOLE]],
  ['a page that ends too early', (story) => story.read.rows.pop(), [WHOLE]],
  ['a page in another order', (story) => story.read.rows.reverse(), [PAGES, FRESH, CHATS]],
  ['a page without what was acknowledged before', (story) => story.read.rows.shift(), [FRESH, WHOLE, CHATS]],
  ['a page with what is stored nowhere', (story) => story.read.rows.push({ ...story.heard(1), messageId: randomUUID() }), [ROW, WHOLE]],
];

const FAULTS: Fault[] = ['hits', 'misses'].map((name) => ({ name, strike: async () => name === 'hits' }));

describe('torture', () => {
  test.each(rows)('finds %s', (_what, change, broken) => {
    const story = new Story();
    change(story);
    expect(new Set(story.broken())).toEqual(new Set(broken));
  });

  test('expects no broadcast of a message that had to be sent again, nor on a connection that was opened later or lost before', () => {
    for (const change of [
      (story: Story) => Object.assign(story.send(3), { transmissions: 2 }),
      (story: Story) => Object.assign(story.ofBob, { openedAt: story.send(4).begunAt }),
      (story: Story) => Object.assign(story.ofBob, { caughtUpAt: story.send(2).acknowledgedAt }),
    ]) {
      const story = new Story();
      story.ofBob.broadcasts.splice(2, 1);
      change(story);
      expect(story.broken()).toEqual([]);
    }
  });

  test('makes the same choices from the same seed', () => {
    const choices = (seed: number) => {
      const random = new Random(seed);
      return [random.integer(0, 1_000_000), random.sample([1, 2, 3, 4, 5, 6, 7, 8], 8), random.fork().integer(0, 1_000_000)];
    };
    expect(choices(1)).toEqual(choices(1));
    expect(choices(1)).not.toEqual(choices(2));
    expect(new Set(new Random(3).sample([1, 2, 3], 5))).toEqual(new Set([1, 2, 3]));
  });

  test('repeats order, times and choices of faults from the same seed, however many choices each of them makes', () => {
    const play = (draws: number) => {
      const played: [name: string, pause: number, choice: number][] = [];
      for (const { fault, pause, random } of schedule(FAULTS, new Random(1), Date.now(), new Counts())) {
        played.push([fault.name, pause, random.integer(0, 1_000_000)]);
        random.sample(FAULTS, draws);
      }
      return played;
    };
    expect(play(0)).toEqual(play(2));
  });

  test('lets each kind of fault strike once when the time is over, and tries no more than five times', () => {
    const counts = new Counts();
    const turns = { hits: 0, misses: 0 };
    for (const { fault } of schedule(FAULTS, new Random(1), Date.now(), counts)) {
      if (fault.name === 'hits') counts.fault(fault.name);
      turns[fault.name === 'hits' ? 'hits' : 'misses']++;
    }
    expect(turns).toEqual({ hits: 1, misses: 5 });
  });

  test('answers a wrong command with what there is', () => {
    for (const args of [
      ['--minutes', 'few'],
      ['--minutes', '0'],
      ['--seed', '-1'],
      ['--seed', 'x'],
      ['--nodes', '0'],
      ['--nodes', '1.5'],
      ['--fast'],
      ['now'],
    ])
      expect(() => readOptions(args)).toThrow('--minutes N');
    expect(readOptions(['--minutes', '1', '--seed', '7'])).toEqual({ minutes: 1, nodes: 1, seed: 7, help: false });
    expect(readOptions(['--nodes', '3'])).toMatchObject({ nodes: 3 });
  });
});
