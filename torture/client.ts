import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from '../bench/client.ts';
import type { Actor } from './actor.ts';
import { nextDeed } from './habits.ts';
import type { Conversation, SeenConnection, SeenPages } from './history.ts';
import { Link } from './link.ts';
import { type Point, readMissed, type SeenMissed } from './missed.ts';
import { Outbox } from './outbox.ts';
import { LARGEST_PAGE, readChats, readHistory } from './pages.ts';
import type { Random } from './random.ts';
import type { Run } from './run.ts';

/** How often is looked for what to send again, in milliseconds. */
const RETRY_INTERVAL = 100;
/** Messages that may be unacknowledged; then no new ones are begun. Sent twice they are fewer than the server takes from one connection at a time. */
const MAX_UNACKNOWLEDGED = 100;

/** A device that speaks the protocol itself, and so sees all that comes: it also reads. */
export class Client implements Actor {
  readonly account: Account;
  readonly conversations: Conversation[];
  readonly #run: Run;
  /** Decides what it does, and how long it waits before it comes back: apart, so that faults do not change what is done. */
  readonly #random: Random;
  readonly #patience: Random;
  readonly #outbox: Outbox;
  #link: Link | undefined;
  #seen: SeenConnection | undefined;
  #retrying: NodeJS.Timeout | undefined;
  #isWriting = true;
  #isOver = false;

  constructor(account: Account, conversations: Conversation[], run: Run, random: Random) {
    this.account = account;
    this.conversations = conversations;
    this.#run = run;
    this.#random = random;
    this.#patience = random.fork();
    this.#outbox = new Outbox(run, this.#patience);
  }

  start(): void {
    this.#connect();
    this.#retrying = setInterval(() => {
      if (this.#link) this.#outbox.retryDue(this.#link);
    }, RETRY_INTERVAL);
    void this.#live();
  }

  quiet(): void {
    this.#isWriting = false;
  }

  end(): void {
    this.#isWriting = false;
    this.#isOver = true;
    clearInterval(this.#retrying);
    this.#link?.close();
  }

  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  get unacknowledged(): number {
    return this.#outbox.unacknowledged;
  }

  get isDone(): boolean {
    return this.unacknowledged === 0 && this.#link?.unanswered === 0;
  }

  hasAcknowledgementSince(time: number): boolean {
    return this.#outbox.acknowledgedSince >= time;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  write(conversation: Conversation, texts: string[], isAnswer = false): void {
    const replyToId = isAnswer ? this.#run.history.lastIdIn(conversation) : null;
    for (const text of texts) {
      if (this.#link && this.#seen && this.unacknowledged < MAX_UNACKNOWLEDGED)
        this.#outbox.begin(this.#link, this.#seen, conversation, text, replyToId);
    }
  }

  /** All pages of a conversation. Undefined when the server answers an error. */
  async readWhole(conversation: Conversation): Promise<SeenPages | undefined> {
    const reading = this.#reading();
    return reading && readHistory(reading, conversation, LARGEST_PAGE, Number.POSITIVE_INFINITY);
  }

  /** The chat list. Undefined when the server answers an error. */
  async readChats(limit: number): Promise<SeenPages[] | undefined> {
    const reading = this.#reading();
    return reading && readChats(reading, limit);
  }

  /** What it is told to have missed. Undefined when the server answers an error. */
  async readMissed(points: Point[], limit: number): Promise<SeenMissed | undefined> {
    const reading = this.#reading();
    return reading && readMissed(reading, points, limit);
  }

  #reading() {
    return this.#link && { run: this.#run, link: this.#link, userId: this.account.id };
  }

  #connect(): void {
    const link = new Link(this.account, this.#patience.pick(this.#run.servers), this.#run, {
      opened: (seen) => {
        this.#link = link;
        this.#seen = seen;
        this.#outbox.retryAll();
      },
      closed: () => {
        this.#link = undefined;
        this.#seen = undefined;
        if (!this.#isOver) setTimeout(() => this.#isOver || this.#connect(), this.#patience.integer(20, 500));
      },
    });
  }

  /** Until it is quiet. */
  async #live(): Promise<void> {
    while (this.#isWriting) {
      const { pause, conversation, texts, isAnswer, chance } = nextDeed(this.#random, this.conversations);
      const limit = this.#random.integer(1, 60);
      await delay(pause);
      if (!this.#isWriting) return;
      this.write(conversation, texts, isAnswer);
      if (chance > 90) void this.#read(conversation, limit, chance);
    }
  }

  async #read(conversation: Conversation, limit: number, chance: number): Promise<void> {
    const reading = this.#reading();
    if (!reading) return;
    if (chance > 97) this.#run.history.pages.push(...((await readChats(reading, limit)) ?? []));
    else {
      const pages = await readHistory(reading, conversation, limit, chance > 94 ? 2 : 1);
      if (pages) this.#run.history.pages.push(pages);
    }
  }
}
