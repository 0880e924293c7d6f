import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { archive } from '../torture/archive.ts';
import { checkApplication } from '../torture/checkApplication.ts';
import { checkMissed } from '../torture/checkMissed.ts';
import type { Losses } from '../torture/losses.ts';
import type { SeenMissed } from '../torture/missed.ts';
import { Verdict } from '../torture/verdict.ts';
import { ANN, BOB, Story } from './support/story.ts';

const MISSED = 'an open connection misses no message';
const ORDER = 'a connection receives in the stored order what one server stored';
const CAUGHT_UP = 'getMissed tells what is stored after a point, each message once, by rev';
const RESET = 'a conversation of which more than 1000 messages were missed, and no other, is to be read anew';
const OTHERS = 'getMissed lists every conversation that is not named, and nothing that is not there';
const GIVEN = 'an application on the client library ends with what is stored';
const LIBRARY_ORDER = 'what the client library sends into a conversation is stored in the order in which it was given';

/** What Bob is told who knows the dialog up to its second message, and what the application of Ann has and sent. */
class Ending extends Story {
  readonly point = { conversation: this.dialog, afterRev: 2 };
  readonly missed: SeenMissed = { userId: BOB, points: [this.point], rows: [], resets: [], lost: [], chats: [] };
  readonly kept = [1, 2, 3, 4, 5].map((seq) => this.heard(seq));

  constructor() {
    super();
    this.missed.rows.push(...[3, 4, 5].map((seq) => this.heard(seq)));
  }

  /** More is written than may be missed, and the application has it. */
  goOn(): void {
    for (let seq = 6; seq <= 1_003; seq++) {
      this.stored.messages.push({ ...this.message(5), messageId: randomUUID(), seq, rev: seq });
      this.kept.push(this.heard(seq));
    }
    Object.assign(this.stored, { lastSeq: 1_003, lastRev: 1_003 });
  }

  /** Bob does not name the dialog. */
  forget(): void {
    this.missed.points.pop();
    this.missed.rows.splice(0);
  }

  override broken(): string[] {
    const verdict = new Verdict();
    const all = archive(this.history, [this.stored]);
    checkMissed(all, this.missed, verdict);
    const { sends, kept } = this;
    checkApplication(all, { userId: ANN, conversations: [this.dialog], sends, messagesOf: () => kept }, verdict);
    expect(verdict.checks).toBeGreaterThan(5);
    for (const { told } of verdict.broken.values()) expect(told[0]).toContain(this.dialog.id);
    return [...verdict.broken.keys()];
  }
}

const endings: [what: string, change: (ending: Ending) => void, broken: string[]][] = [
  ['nothing where nothing is wrong', () => {}, []],
  ['a missed message that is not told', (ending) => ending.missed.rows.splice(1, 1), [CAUGHT_UP]],
  ['a missed message that is told twice', (ending) => ending.missed.rows.push(ending.heard(5)), [CAUGHT_UP]],
  ['missed messages in another order', (ending) => ending.missed.rows.reverse(), [CAUGHT_UP]],
  ['a missed message with another text', (ending) => Object.assign(ending.missed.rows[1] ?? {}, { content: 'Bye' }), [CAUGHT_UP]],
  ['a message that was not missed', (ending) => ending.missed.rows.unshift(ending.heard(2)), [CAUGHT_UP]],
  [
    'a conversation that is to be read anew though little was missed',
    (ending) => ending.missed.resets.push({ conversationId: ending.dialog.id, seq: 5, rev: 5 }),
    [RESET],
  ],
  ['a conversation that is not to be read anew though much was missed', (ending) => ending.goOn(), [RESET, CAUGHT_UP]],
  [
    'a conversation that is to be read anew from a wrong place',
    (ending) => {
      ending.goOn();
      ending.missed.rows.splice(0);
      ending.missed.resets.push({ conversationId: ending.dialog.id, seq: 5, rev: 5 });
    },
    [RESET],
  ],
  [
    'nothing where one message was changed very often',
    (ending) => {
      Object.assign(ending.stored, { lastRev: 2_000 });
      ending.message(5).rev = 2_000;
      ending.missed.rows.splice(2, 1, ending.heard(5));
      ending.kept.splice(4, 1, ending.heard(5));
    },
    [],
  ],
  ['a conversation that is said to be gone', (ending) => ending.missed.lost.push(ending.dialog.id), [OTHERS]],
  ['a conversation that is neither named nor listed', (ending) => ending.forget(), [OTHERS]],
  [
    'a conversation that is listed with an old message',
    (ending) => {
      ending.forget();
      ending.missed.chats.push(ending.heard(4));
    },
    [OTHERS],
  ],
  [
    'messages of a conversation that is not named',
    (ending) => {
      ending.forget();
      ending.missed.chats.push(ending.heard(5));
      ending.missed.rows.push(ending.heard(5));
    },
    [OTHERS],
  ],
  ['a message that an application was not given', (ending) => ending.kept.splice(2, 1), [GIVEN]],
  ['the last message, not given to an application', (ending) => ending.kept.pop(), [GIVEN]],
  ['a message that an application was given twice', (ending) => ending.kept.push(ending.heard(5)), [GIVEN]],
  ['messages that an application was given in another order', (ending) => ending.kept.reverse(), [GIVEN]],
  ['messages of an application, stored in another order', (ending) => ending.sends.reverse(), [LIBRARY_ORDER]],
];

/** What is done to Redis, or to Ann's server, while she writes to Bob, who is connected to another server. */
const absences: [what: string, isMissing: boolean, happen: (story: Story, losses: Losses, during: number) => void][] = [
  ['nothing', true, () => {}],
  ['Redis was away', false, (_story, losses, during) => losses.begin(during - 1)(during + 1)],
  ['Redis was away until a moment before', false, (_story, losses, during) => losses.begin(0)(during - 6_000)],
  ['Redis was away long before', true, (_story, losses, during) => losses.begin(0)(during - 8_000)],
  ['Redis went away long after', true, (_story, losses, during) => void losses.begin(during + 3_000)],
  ['Redis is still away', false, (_story, losses, during) => void losses.begin(during - 1)],
  ["Redis was away from Bob's server", false, (_story, losses, during) => losses.begin(during - 1, 1)(during + 1)],
  ['Redis was away from a third server', true, (_story, losses, during) => losses.begin(during - 1, 2)(during + 1)],
  ["Ann's server was killed just after", false, (_story, losses, during) => losses.killed(0, during + 500)],
  ["Ann's server was killed later", true, (_story, losses, during) => losses.killed(0, during + 2_000)],
  ["Bob's server was killed just after", true, (_story, losses, during) => losses.killed(1, during + 500)],
  [
    'Redis was away, but they are on the same server',
    true,
    (story, losses, during) => {
      Object.assign(story.ofBob, { node: 0 });
      losses.begin(during - 1)(during + 1);
    },
  ],
  ['Bob was connected for too short a time', false, (story, _losses, during) => Object.assign(story.ofBob, { caughtUpAt: during + 1_500 })],
];

describe('torture of several servers and of applications', () => {
  test.each(endings)('finds %s, in what is told at the end', (_what, change, broken) => {
    const ending = new Ending();
    change(ending);
    expect(new Set(ending.broken())).toEqual(new Set(broken));
  });

  test.each(absences)('where %s, whether a broadcast between servers is missed: %s', (_what, isMissing, happen) => {
    const story = new Story();
    story.ofBob.broadcasts.splice(2, 1);
    // All at one moment, an hour after the beginning.
    const during = 3_600_000;
    for (const send of story.sends) Object.assign(send, { begunAt: during, acknowledgedAt: during + 1 });
    Object.assign(story.ofBob, { node: 1, openedAt: 0, caughtUpAt: during + 10_000 });
    happen(story, story.history.losses, during);
    expect(story.broken()).toEqual(isMissing ? [MISSED] : []);
  });

  test('expects the stored order of what one server stored, and of others none', () => {
    const story = new Story();
    story.ofBob.broadcasts.reverse();
    for (const [index, send] of story.sends.entries()) Object.assign(send, { node: index });
    expect(story.broken()).toEqual([]);
    Object.assign(story.send(2), { node: 0 });
    expect(story.broken()).toEqual([ORDER]);
  });
});
