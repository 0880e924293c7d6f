import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { archive, type StoredConversation, type StoredMessage } from '../../torture/archive.ts';
import { checkChats, checkWhole } from '../../torture/checkEnd.ts';
import { checkSight } from '../../torture/checkSight.ts';
import { checkStorage } from '../../torture/checkStorage.ts';
import {
  type Conversation,
  History,
  type SeenConnection,
  type SeenMessage,
  type SeenPages,
  type Send,
  UNCHANGED,
} from '../../torture/history.ts';
import { Verdict } from '../../torture/verdict.ts';

export const ANN = randomUUID();
export const BOB = randomUUID();
const EVE = randomUUID();

/** A run without a fault: Ann wrote five messages to Bob, one after the other, and Bob's connection received and his pages show them. */
export class Story {
  readonly history = new History();
  readonly dialog: Conversation = { id: randomUUID(), kind: 'dialog', memberIds: new Set([ANN, BOB]) };
  readonly ofAnn: SeenConnection = this.#connect(ANN);
  readonly ofBob: SeenConnection = this.#connect(BOB);
  readonly stored: StoredConversation = { id: this.dialog.id, lastSeq: 5, lastRev: 5, lastMessageAt: 5, messages: [] };
  readonly sends: Send[] = [];
  /** What the lists of chats say beside the last message. */
  readonly chat = { rev: 5 };
  unreadCount = 0;
  readonly read: SeenPages = { userId: BOB, conversationId: this.dialog.id, rows: [], acknowledged: undefined };

  constructor() {
    this.history.conversations.set(this.dialog.id, this.dialog);
    for (let seq = 1; seq <= 5; seq++) this.#write(seq);
    this.read.acknowledged = this.send(5);
    this.history.pages.push(this.read);
    this.ofBob.caughtUpAt = this.history.moment();
  }

  /** The message with this `seq`, as it was stored at first. */
  message(seq: number): StoredMessage {
    const found = this.stored.messages.find((message) => message.seq === seq);
    if (!found) throw new Error(`no message ${seq}`);
    return found;
  }

  send(seq: number): Send {
    const found = this.sends[seq - 1];
    if (!found) throw new Error(`no send ${seq}`);
    return found;
  }

  /** Somebody else with a connection, in none of the conversations. */
  stranger(): SeenConnection {
    return this.#connect(EVE);
  }

  heard(seq: number): SeenConnection['broadcasts'][number] {
    const { messageId, senderId, content, createdAt, rev } = this.message(seq);
    return { messageId, senderId, content, createdAt, ...UNCHANGED, replyTo: null, seq, rev, conversationId: this.dialog.id };
  }

  /** The promises that are found broken. */
  broken(): string[] {
    const verdict = new Verdict();
    const all = archive(this.history, [this.stored]);
    checkStorage(all, verdict);
    checkSight(all, verdict);
    checkWhole(all, this.read, verdict);
    const [row] = this.read.rows;
    const chat = { ...this.read, unreadCount: this.unreadCount, rows: row ? [{ ...row, ...this.chat }] : [] };
    checkChats(all, BOB, [chat], verdict);
    checkChats(all, ANN, [{ ...chat, userId: ANN }], verdict);
    expect(verdict.checks).toBeGreaterThan(30);
    for (const { told } of verdict.broken.values()) expect(told[0]).toContain(this.dialog.id);
    return [...verdict.broken.keys()];
  }

  #connect(userId: string): SeenConnection {
    const connection = { userId, node: 0, openedAt: this.history.moment(), caughtUpAt: 0, broadcasts: [] };
    this.history.connections.push(connection);
    return connection;
  }

  #write(seq: number): void {
    const place = { createdAt: seq, seq, rev: seq };
    const seen: SeenMessage = { messageId: randomUUID(), senderId: ANN, content: `Hello ${seq}`, ...UNCHANGED, replyTo: null, ...place };
    const send: Send = {
      messageId: seen.messageId,
      conversation: this.dialog,
      senderId: ANN,
      content: seen.content,
      replyToId: null,
      connection: this.ofAnn,
      begunAt: this.history.moment(),
      node: 0,
      transmissions: 1,
      acknowledgedAt: this.history.moment(),
    };
    this.sends.push(send);
    this.history.sends.set(send.messageId, send);
    const { replyTo: _none, ...written } = seen;
    this.stored.messages.push({ ...written, notification: false, replyToId: null, reactions: [], reactors: [] });
    this.ofBob.broadcasts.push({ ...seen, conversationId: this.dialog.id });
    this.read.rows.unshift(seen);
  }
}
