import { Backoff } from './backoff.ts';
import type { Change } from './change.ts';
import type { Emit } from './events.ts';
import { applyMissed, cursorOf, learnChats } from './missed.ts';
import type { Position } from './position.ts';
import type { Positions } from './positions.ts';
import { RequestError } from './requestError.ts';
import type { Timings } from './timings.ts';
import type { MissedAnswer, Params } from './wire.ts';

const MAX_CURSORS = 100;
const LIMIT = 500;
/** Before everything: lists all conversations. */
const EPOCH = '1970-01-01T00:00:00.000Z';

interface Surroundings {
  userId: string;
  positions: Positions;
  timings: Timings;
  /** Asks for the events that this relies on. */
  subscribe(): Promise<unknown>;
  getMissed(params: Params<'getMissed'>): Promise<MissedAnswer>;
  emit: Emit;
  /** The application has everything that existed when the connection began. */
  caughtUp(): void;
}

/**
 * Finds out what the application has missed, and gives it.
 *
 * It asks when a connection begins, but not before the server sends all events that concern the user: so everything is either
 * in the answer or comes as an event after it, or both. It asks when the server says that something may have been lost,
 * and for a conversation in which an event does not follow the one before it. One question is under way at a time.
 */
export class CatchUp {
  readonly #around: Surroundings;
  readonly #backoff: Backoff;
  /** To be asked for. */
  readonly #wanted = new Set<Position>();
  /** To be asked for unless what is missing comes by itself: events may overtake one another. */
  readonly #gaps = new Set<Position>();
  #gapTimer: ReturnType<typeof setTimeout> | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** Whether to ask for conversations that the client does not know, and from which time on in the midst of them. */
  #isListing = false;
  #page: string | undefined;
  #isConnected = false;
  #isSubscribed = false;
  #isRunning = false;
  #isCaughtUp = false;

  constructor(surroundings: Surroundings) {
    this.#around = surroundings;
    const { timings } = surroundings;
    this.#backoff = new Backoff(timings.firstWait, timings.longestWait);
  }

  /** A connection begins. */
  start(): void {
    this.#isConnected = true;
    this.#wantAll();
    void this.#run();
  }

  /** The connection is gone. */
  stop(): void {
    this.#isConnected = false;
    this.#isSubscribed = false;
    this.#isCaughtUp = false;
    this.#page = undefined;
    clearTimeout(this.#gapTimer);
    clearTimeout(this.#pause);
    this.#gapTimer = undefined;
    this.#pause = undefined;
    this.#backoff.reset();
    this.#wanted.clear();
    this.#gaps.clear();
    for (const position of this.#around.positions.all()) position.forget();
  }

  /** The server says that anything may have been lost. It tells many clients at once: each waits for a random time before it asks. */
  all(): void {
    this.#wantAll();
    if (!this.#isRunning) this.#runAfter(Math.random() * this.#around.timings.catchUpSpread);
  }

  #wantAll(): void {
    for (const position of this.#around.positions.all()) {
      if (position.rev !== undefined && !position.isGone) this.#wanted.add(position);
    }
    this.#isListing = true;
  }

  /** Asks about one conversation: who may read it may have changed. */
  ask(position: Position): void {
    if (position.rev !== undefined) this.#wanted.add(position);
    void this.#run();
  }

  /** Something came as an event, or was done by this client and acknowledged. */
  offer(change: Change): void {
    const position = this.#around.positions.at(change);
    position.offer(change);
    if (position.mustBeAsked) this.#askSoon(position);
  }

  #askSoon(position: Position): void {
    this.#gaps.add(position);
    this.#gapTimer ??= setTimeout(() => {
      this.#gapTimer = undefined;
      this.#want([...this.#gaps].filter((gap) => gap.mustBeAsked));
      this.#gaps.clear();
      void this.#run();
    }, this.#around.timings.gapPatience);
  }

  /** Asks nothing for so long; or for as long as it was told to before. */
  #runAfter(milliseconds: number): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      void this.#run();
    }, milliseconds);
  }

  async #run(): Promise<void> {
    if (!this.#isConnected || this.#isRunning || this.#pause) return;
    this.#isRunning = true;
    try {
      while (this.#isConnected && (this.#wanted.size > 0 || this.#isListing)) await this.#ask();
      this.#backoff.reset();
      if (this.#isConnected && !this.#isCaughtUp) {
        this.#isCaughtUp = true;
        this.#around.caughtUp();
      }
    } catch (error) {
      this.#tryAgain(error);
    } finally {
      this.#isRunning = false;
    }
  }

  #tryAgain(error: unknown): void {
    if (!(error instanceof RequestError)) throw error;
    if (!this.#isConnected) return;
    if (!error.isRetryable) this.#around.emit('error', error);
    this.#runAfter((error.retryAfter ?? 0) * 1000 + this.#backoff.next());
  }

  async #ask(): Promise<void> {
    const { positions, subscribe, getMissed, emit } = this.#around;
    if (!this.#isSubscribed) await subscribe();
    this.#isSubscribed = true;
    const asked = [...this.#wanted].slice(0, MAX_CURSORS).map((position) => ({ position, seen: position.seen }));
    for (const { position } of asked) this.#wanted.delete(position);
    const isListing = this.#isListing;
    this.#isListing = false;
    const changedSince = isListing ? (this.#page ?? positions.changedSince ?? EPOCH) : null;
    const cursors = asked.map(({ position }) => cursorOf(position));
    const answer = await getMissed({ cursors, changedSince, limit: LIMIT }).catch((error: unknown) => {
      this.#want(asked.map(({ position }) => position));
      this.#isListing ||= isListing;
      if (error instanceof RequestError && error.code === 'invalid_params') this.#beginAnew();
      throw error;
    });
    this.#want(applyMissed(answer, asked, positions, emit));
    if (isListing) this.#learn(answer.item);
  }

  /** The server does not understand where the application is: that comes from the state that it was given. */
  #beginAnew(): void {
    this.#around.positions.beginAnew();
    this.#wanted.clear();
    this.#gaps.clear();
    this.#page = undefined;
    this.#isListing = true;
  }

  /** What an answer tells of conversations that were not asked for. */
  #learn({ chats, moreChats, changedSince }: MissedAnswer['item']): void {
    const { positions, userId, emit } = this.#around;
    this.#want(learnChats(chats, positions, userId, emit));
    this.#isListing ||= moreChats;
    this.#page = moreChats ? changedSince : undefined;
    if (!moreChats) this.#want(positions.listedAt(changedSince));
  }

  #want(positions: Iterable<Position>): void {
    for (const position of positions) this.#wanted.add(position);
  }
}
