import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Change, Deed, SeenMessage } from '../torture/history.ts';
import { ANN, BOB, Story } from './support/story.ts';

const REVS = 'rev is 1, 2, 3… without gaps, and of one change';
const ORIGIN = 'what is stored was sent so';
const TEXT = 'what is stored was sent so, or edited so';
const DELETED = 'what was deleted is stored without content and reactions, and nothing else is';
const REACTIONS = 'who reacted to a message and how is stored, and counted';
const SETTLED = 'every change is made or refused in the end';
const LATEST = 'a message has the rev of its last change';
const BROADCAST = 'every broadcast is a stored message';
const ROW = 'every row of a page is a stored message';
const NOW = 'pages show messages as they are';
const QUOTE = 'pages show what a message answers as that is now';
const CHATS = 'a chat list shows the last message of each conversation';
const UNREAD = 'a chat list says how many messages are unread';

/** Then Bob gave a reaction to the second message, Ann edited the third and deleted the fourth, and the fifth answers the third. */
class Changed extends Story {
  readonly reaction = this.#change(2, BOB, { kind: 'react', emoji: '👍', isAdded: true });
  readonly edit = this.#change(3, ANN, { kind: 'edit', content: 'Edited' });
  readonly deletion = this.#change(4, ANN, { kind: 'delete' });

  constructor() {
    super();
    Object.assign(this.message(2), { reactions: [{ emoji: '👍', count: 1 }], reactors: [{ userId: BOB, emoji: '👍' }] });
    Object.assign(this.row(2), { reactions: '👍1*' });
    for (const message of [this.message(3), this.row(3)]) Object.assign(message, { content: 'Edited', editedAt: 7 });
    for (const message of [this.message(4), this.row(4)]) Object.assign(message, { content: '', deletedAt: 8 });
    const { messageId } = this.message(3);
    const replyTo = { messageId, content: 'Hello 3', deleted: false };
    for (const message of [this.message(5), this.send(5)]) Object.assign(message, { replyToId: messageId });
    Object.assign(this.ofBob.broadcasts[4] ?? {}, { replyTo });
    Object.assign(this.row(5), { replyTo: { ...replyTo, content: 'Edited' } });
    this.stored.lastRev = 8;
    // As a list of chats has it.
    this.chat.rev = 8;
  }

  row(seq: number): SeenMessage {
    const found = this.read.rows.find((row) => row.seq === seq);
    if (!found) throw new Error(`no row ${seq}`);
    return found;
  }

  /** Each change takes the next `rev`; that of the message itself was told to Bob. */
  #change(seq: number, userId: string, deed: Deed): Change {
    const { messageId, rev: before } = this.message(seq);
    const rev = Math.max(...this.stored.messages.map((message) => message.rev)) + 1;
    const begun = { messageId, conversation: this.dialog, userId, deed, begunAt: this.history.moment() };
    const change: Change = { ...begun, transmissions: 1, outcome: 'made', rev };
    this.history.begin(change);
    this.history.told(this.dialog.id, before);
    for (const message of [this.message(seq), this.row(seq)]) Object.assign(message, { rev });
    return change;
  }
}

/** The change was not made after all, though it took its `rev`. */
const undo = (story: Changed, seq: number, fields: object) => {
  for (const message of [story.message(seq), story.row(seq)]) Object.assign(message, fields);
};

const rows: [what: string, change: (story: Changed) => void, broken: string[]][] = [
  ['nothing where nothing is wrong', () => {}, []],
  ['an edit that is lost', (story) => undo(story, 3, { content: 'Hello 3', editedAt: null }), [TEXT, QUOTE]],
  ['an edit that nobody made', (story) => story.history.changes.delete(story.edit.messageId), [TEXT, BROADCAST]],
  ['a deletion that is lost', (story) => undo(story, 4, { content: 'Hello 4', deletedAt: null }), [DELETED]],
  ['a deleted message that is stored with its text', (story) => undo(story, 4, { content: 'Hello 4' }), [DELETED]],
  ['a deletion that nobody made', (story) => story.history.changes.delete(story.deletion.messageId), [DELETED, TEXT, BROADCAST]],
  ['a deletion that was refused', (story) => Object.assign(story.deletion, { outcome: 'refused' }), [DELETED, TEXT]],
  [
    'a reaction that is lost',
    (story) => {
      Object.assign(story.message(2), { reactions: [], reactors: [] });
      Object.assign(story.row(2), { reactions: '' });
    },
    [REACTIONS],
  ],
  ['a reaction that nobody gave', (story) => story.message(2).reactors.push({ userId: ANN, emoji: '👍' }), [REACTIONS]],
  [
    'reactions that are counted wrong',
    (story) => story.message(2).reactions.splice(0, 1, { emoji: '👍', count: 2 }),
    [REACTIONS, ROW, NOW],
  ],
  ['a change that is neither made nor refused', (story) => Object.assign(story.reaction, { outcome: undefined }), [SETTLED, REACTIONS]],
  ['a change that was made later than the message says', (story) => Object.assign(story.reaction, { rev: 7 }), [LATEST]],
  ['a rev that nobody was told of', (story) => story.history.revs.get(story.dialog.id)?.delete(4), [REVS]],
  ['a rev that two messages have', (story) => undo(story, 3, { rev: 6 }), [REVS, LATEST]],
  [
    'an answer to another message',
    (story) => Object.assign(story.message(5), { replyToId: randomUUID() }),
    [ORIGIN, BROADCAST, ROW, NOW, CHATS],
  ],
  ['a page that shows a message as it was', (story) => Object.assign(story.row(3), { content: 'Hello 3', editedAt: null, rev: 3 }), [NOW]],
  ['a page with reactions of somebody else', (story) => Object.assign(story.row(2), { reactions: '👍1' }), [ROW, NOW]],
  ['a page that shows what was answered as it was', (story) => Object.assign(story.row(5).replyTo ?? {}, { content: 'Hello 3' }), [QUOTE]],
  ['a chat list with another rev', (story) => Object.assign(story.chat, { rev: 7 }), [CHATS]],
  ['a chat list that counts unread messages wrong', (story) => Object.assign(story, { unreadCount: 1 }), [UNREAD]],
];

describe('torture of messages that are changed', () => {
  test.each(rows)('finds %s', (_what, change, broken) => {
    const story = new Changed();
    change(story);
    expect(new Set(story.broken())).toEqual(new Set(broken));
  });

  test('takes what was asked for once more for what may have been made once more', () => {
    const story = new Changed();
    const { messageId, conversation, userId, begunAt } = story.edit;
    const deed: Deed = { kind: 'edit', content: 'Edited later' };
    story.history.begin({ messageId, conversation, userId, begunAt, deed, transmissions: 1, outcome: 'made', rev: 7 });
    expect(story.broken()).toEqual([TEXT]);
    Object.assign(story.edit, { transmissions: 2 });
    expect(story.broken()).toEqual([]);
    story.history.revs.get(story.dialog.id)?.delete(4);
    expect(story.broken()).toEqual([]);
  });
});
