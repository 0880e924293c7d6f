import type { Conversation, Message } from './message.ts';

/** Events of a conversation that are held back. Of those beside them only the highest `rev` is kept: they are asked for. */
const MAX_HELD = 1_000;

/**
 * How much of one conversation the application has: everything that it may see up to `rev`, nothing after.
 *
 * - `rev` moves before a message is given, and a message is given only when `rev` moves onto it: so each is given once, and in order.
 * - `rev` moves by one with an event that follows directly; further only with the rows of an answer, which leave out nothing
 *   that the user may see, or to where such an answer says that it is complete.
 * - An event that does not follow directly is held back until the hole before it is filled. So is every event from the beginning of a
 *   connection until the server was asked about the conversation: only then is it known that both count alike, for a server that was
 *   restored from a backup counts from an earlier number.
 */
export class Position {
  readonly conversation: Conversation;
  /** This user may no longer read it. It may become readable again, and goes on from where it was. */
  isGone = false;
  readonly #give: (message: Message) => void;
  readonly #held = new Map<number, Message>();
  /** Undefined until it is known from where the application wants to hear of it. */
  #rev: number | undefined;
  /** The highest that is known to exist. */
  #seen = 0;
  /** Whether the server was asked about it on this connection. */
  #isSettled = false;
  /** The user wants to see nothing up to this. */
  #clearedSeq = 0;

  constructor(conversation: Conversation, rev: number | undefined, give: (message: Message) => void) {
    this.conversation = conversation;
    this.#rev = rev;
    this.#give = give;
  }

  get rev(): number | undefined {
    return this.#rev;
  }

  /** The highest `rev` that is known to exist. */
  get seen(): number {
    return this.#seen;
  }

  /** Whether something is missing, or may be. Before there is a `rev` nobody can say what. */
  get mustBeAsked(): boolean {
    return this.#rev !== undefined && (this.isGone || !this.#isSettled || this.#seen > this.#rev);
  }

  /** An event, or a message of this client that was acknowledged. */
  offer(message: Message): void {
    if (this.#isSettled && message.rev <= (this.#rev ?? 0)) return;
    this.see(message.rev);
    if (this.#held.size < MAX_HELD) this.#held.set(message.rev, message);
    if (this.#isSettled) this.#release();
  }

  /** There is a message with this `rev`. */
  see(rev: number): void {
    this.#seen = Math.max(this.#seen, rev);
  }

  /** A row of an answer. Between `rev` and it there is nothing that the user may see. */
  fill(message: Message): void {
    if (message.rev > (this.#rev ?? 0)) this.#moveTo(message);
  }

  /** An answer told all there is up to this `rev`. No row need have it: a message that was changed again has a later one. */
  skipTo(rev: number): void {
    this.#rev = Math.max(this.#rev ?? 0, rev);
  }

  /** An answer told all there is; `seen` is what was known to exist before it was asked for. */
  settle(seen = 0): void {
    this.skipTo(seen);
    this.#isSettled = true;
    for (const rev of this.#held.keys()) if (rev <= (this.#rev ?? 0)) this.#held.delete(rev);
    this.#release();
  }

  /** What is before is read by pages, if at all: it goes on after `rev`. */
  startAfter(rev: number): void {
    this.#rev = rev;
    this.#clearedSeq = 0;
    this.settle();
  }

  /** The user deleted all up to `seq`. Returns whether that is news. */
  clear(seq: number): boolean {
    if (seq <= this.#clearedSeq) return false;
    this.#clearedSeq = seq;
    return true;
  }

  /** The connection is gone. What was held back will be asked for. */
  forget(): void {
    this.#isSettled = false;
    this.#held.clear();
    this.#seen = 0;
  }

  #release(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      this.#held.delete(next.rev);
      this.#moveTo(next);
    }
  }

  #next(): Message | undefined {
    return this.#held.get((this.#rev ?? 0) + 1);
  }

  #moveTo(message: Message): void {
    this.#rev = message.rev;
    this.see(message.rev);
    if (message.seq > this.#clearedSeq) this.#give(message);
  }
}
