import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Account } from '../bench/client.ts';
import { MessengerClient, RequestError, type State } from '../client/index.ts';
import type { Place } from '../src/answers.ts';
import type { Actor } from './actor.ts';
import { Application } from './application.ts';
import { Changes } from './changes.ts';
import { type DeviceLine, socketClass } from './deviceSocket.ts';
import { nextDeed } from './habits.ts';
import { type Conversation, nameOf, type SeenConnection, type Send } from './history.ts';
import type { Random } from './random.ts';
import type { Run } from './run.ts';

/** Messages that may be unacknowledged; then no new ones are begun. */
const MAX_UNACKNOWLEDGED = 100;
/** As an application waits, but with less patience: the servers must be well soon after a fault. In milliseconds. */
const TIMINGS = { firstWait: 100, longestWait: 1_000 };

const naming = z.object({ type: z.string(), params: z.object({ messageId: z.string() }) });
const SENDS = new Set(['privateMessage', 'messageInGroup']);
/** So many times in a hundred it changes something beside what it writes. */
const CHANGES = 40;

/** A device whose application uses the client library, and sees no more than that tells. Its user may have others. */
export class Device implements Actor {
  readonly account: Account;
  readonly conversations: Conversation[];
  readonly application: Application;
  /** What it sent, in that order. */
  readonly sends: Send[] = [];
  readonly #run: Run;
  readonly #random: Random;
  readonly #patience: Random;
  readonly #changes: Changes;
  /** What is not acknowledged, and when it was transmitted last. */
  readonly #sentAt = new Map<Send, number>();
  /** Stands for all its connections: the library keeps the order across them. */
  readonly #connection: SeenConnection;
  #client: MessengerClient | undefined;
  #line: DeviceLine | undefined;
  #acknowledgedSince = 0;
  #isWriting = true;

  constructor(account: Account, conversations: Conversation[], run: Run, random: Random) {
    this.account = account;
    this.conversations = conversations;
    this.#run = run;
    this.#random = random;
    this.#patience = random.fork();
    this.application = new Application(account.id, run);
    const surroundings = { run, account, application: this.application, client: () => this.#client };
    this.#changes = new Changes(surroundings, random.fork());
    this.#connection = { userId: account.id, node: 0, openedAt: 0, caughtUpAt: 0, broadcasts: [] };
  }

  start(): void {
    this.#open(this.#beginning);
    void this.#live();
  }

  quiet(): void {
    this.#isWriting = false;
  }

  end(): void {
    this.#isWriting = false;
    this.#changes.end();
    this.#client?.close();
  }

  /** The application ends, and begins again some milliseconds later: with what it has, or as if for the first time. */
  async restart(away: number, isNew: boolean): Promise<void> {
    const state = this.#client?.state;
    this.#client?.close();
    this.#client = undefined;
    if (isNew) this.application.forgetAll();
    await delay(away);
    this.#open(isNew || !state ? this.#beginning : state);
    for (const send of this.#sentAt.keys()) void this.#send(send);
  }

  get isConnected(): boolean {
    return this.#line !== undefined;
  }

  get unacknowledged(): number {
    return this.#sentAt.size;
  }

  get isDone(): boolean {
    const isIdle = this.unacknowledged === 0 && this.#changes.unanswered === 0 && !this.application.isReading;
    return isIdle && this.#client?.status === 'online';
  }

  hasAcknowledgementSince(time: number): boolean {
    return this.#acknowledgedSince >= time;
  }

  get link(): DeviceLine | undefined {
    return this.#line;
  }

  write(conversation: Conversation, texts: string[], isAnswer = false): void {
    const { history, counts } = this.#run;
    const replyToId = isAnswer ? history.lastIdIn(conversation) : null;
    for (const content of texts) {
      if (this.unacknowledged >= MAX_UNACKNOWLEDGED) return;
      const progress = { node: undefined, transmissions: 0, begunAt: history.moment(), acknowledgedAt: undefined };
      const origin = { senderId: this.account.id, connection: this.#connection };
      const send: Send = { messageId: randomUUID(), conversation, content, replyToId, ...origin, ...progress };
      history.sends.set(send.messageId, send);
      this.sends.push(send);
      this.#sentAt.set(send, 0);
      counts.sends++;
      void this.#send(send);
    }
  }

  /** An application that wants everything from the first message on. */
  get #beginning(): State {
    const positions = this.conversations.map((conversation) => {
      const name = nameOf(conversation, this.account.id);
      const companionId = 'receiverId' in name ? name.receiverId : null;
      return { companionId, groupId: companionId === null ? conversation.id : null, rev: 0, seq: 0, isGone: false };
    });
    return { changedSince: new Date(0).toISOString(), positions };
  }

  #open(state: State): void {
    const { servers, verdict, counts } = this.#run;
    const { id: userId, token } = this.account;
    const WebSocket = socketClass({
      choose: () => this.#patience.pick(servers),
      opened: (line) => {
        this.#line = line;
        counts.connects++;
      },
      closed: (line, code) => {
        if (this.#line !== line) return;
        this.#line = undefined;
        counts.closed(code);
      },
      sends: (line, text) => this.#transmits(line, text),
    });
    const client = new MessengerClient({ url: 'ws://any', userId, token, state, WebSocket, timings: TIMINGS });
    const refused = ({ message }: { message: string }) =>
      verdict.check('a client library is refused only for a while', false, () => `that of ${userId}: ${message}`);
    client.on('error', refused);
    client.on('unauthorized', () => refused({ message: 'unauthorized' }));
    this.application.listen(client);
    this.#client = client;
  }

  #transmits({ node }: DeviceLine, text: string): void {
    const { data } = naming.safeParse(JSON.parse(text));
    if (!data) return;
    const { messageId } = data.params;
    const send = SENDS.has(data.type) ? this.#run.history.sends.get(messageId) : undefined;
    if (!send) {
      this.#changes.transmitted(messageId);
      return;
    }
    send.node = send.transmissions === 0 || send.node === node ? node : undefined;
    if (send.transmissions > 0) this.#run.counts.retries++;
    send.transmissions++;
    this.#sentAt.set(send, Date.now());
  }

  async #send(send: Send): Promise<void> {
    const { conversation, content, messageId, replyToId } = send;
    // Between two lives of the application it waits for the next.
    if (!this.#client) return;
    try {
      const message = { ...nameOf(conversation, this.account.id), content, messageId };
      this.#acknowledge(send, await this.#client.send(replyToId === null ? message : { ...message, replyToId }));
    } catch (error) {
      // It goes on when the application begins again.
      if (error instanceof RequestError && error.code === 'closed') return;
      this.#sentAt.delete(send);
      const told = () => `conversation ${conversation.id}: message ${messageId} was refused: ${error}`;
      this.#run.verdict.check('a client library is refused only for a while', false, told);
    }
  }

  #acknowledge(send: Send, { rev }: Place): void {
    const { history, counts } = this.#run;
    history.told(send.conversation.id, rev);
    this.#acknowledgedSince = Math.max(this.#acknowledgedSince, this.#sentAt.get(send) ?? 0);
    if (!this.#sentAt.delete(send)) return;
    send.acknowledgedAt = history.moment();
    history.latestAcknowledged.set(send.conversation.id, send);
    counts.acknowledged++;
  }

  async #live(): Promise<void> {
    while (this.#isWriting) {
      const { pause, conversation, texts, isAnswer } = nextDeed(this.#random, this.conversations);
      const isChanging = this.#random.chance(CHANGES);
      await delay(pause);
      if (!this.#isWriting) return;
      this.write(conversation, texts, isAnswer);
      if (isChanging) this.#changes.begin(conversation);
    }
  }
}
