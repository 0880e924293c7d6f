import type { Change } from './change.ts';
import type { Conversation, Message } from './message.ts';

/** Events of a conversation that are held back. Of those beside them only the highest `rev` is kept: they are asked for. */
const MAX_HELD = 1_000;
/** Messages given last whose changes need not be asked for. The application has them too: they take little more room. */
const MAX_RECENT = 100;

/** Up to where an application has a conversation. */
export interface Progress {
  /** The last change. */
  rev: number;
  /** The last message, given or read by pages. */
  seq: number;
}

/**
 * How much of one conversation the application has: everything that it may see up to `rev`, nothing after.
 *
 * - `rev` moves before a message is given, and a message is given only when `rev` moves onto it: so each `rev` is given once, and in order.
 * - `rev` moves by one with an event that follows directly; further only with the rows of an answer, which leave out nothing
 *   that the user may see, or to where such an answer says that it is complete.
 * - An event that does not follow directly is held back until the hole before it is filled. So is one from which the whole message cannot be
 *   told. And so is every event from the beginning of a connection until the server was asked about the conversation: only then is it known
 *   that both count alike, for a server that was restored from a backup counts from an earlier number. While an answer is continued by
 *   another one nothing is released: a message that was changed again is in the last of them alone.
 */
export class Position {
  readonly conversation: Conversation;
  /** This user may no longer read it. It may become readable again, and goes on from where it was. */
  isGone = false;
  readonly #give: (message: Message) => void;
  readonly #held = new Map<number, Change>();
  /** Messages as they are at `rev`, those given last at the end. */
  readonly #recent = new Map<string, Message>();
  /** Undefined until it is known from where the application wants to hear of it. */
  #progress: Progress | undefined;
  /** The highest that is known to exist. */
  #seen = 0;
  /** Whether the server was asked about it on this connection. */
  #isSettled = false;
  /** The user wants to see nothing up to this. */
  #clearedSeq = 0;

  constructor(conversation: Conversation, progress: Progress | undefined, give: (message: Message) => void) {
    this.conversation = conversation;
    this.#progress = progress;
    this.#give = give;
  }

  get progress(): Progress | undefined {
    return this.#progress;
  }

  get rev(): number | undefined {
    return this.#progress?.rev;
  }

  /** The highest `rev` that is known to exist. */
  get seen(): number {
    return this.#seen;
  }

  /** Whether something is missing, or may be. Before there is a `rev` nobody can say what. */
  get mustBeAsked(): boolean {
    return this.rev !== undefined && (this.isGone || !this.#isSettled || this.#seen > this.rev);
  }

  /** An event, or something that this client did and that was acknowledged. */
  offer(change: Change): void {
    if (this.#isSettled && change.rev <= this.#reached.rev) return;
    this.see(change.rev);
    if (this.#held.size < MAX_HELD) this.#held.set(change.rev, change);
    if (this.#isSettled) this.#release();
  }

  /** There is a change with this `rev`. */
  see(rev: number): void {
    this.#seen = Math.max(this.#seen, rev);
  }

  /** A row of an answer. Between `rev` and it there is nothing that the user may see. */
  fill(message: Message): void {
    if (message.rev > this.#reached.rev) this.#moveTo(message);
  }

  /** An answer told all there is up to this `rev`, and another one will tell the rest. No row need have it. */
  continueAfter(rev: number): void {
    this.#skipTo(rev);
    this.#isSettled = false;
  }

  /** An answer told all there is; `seen` is what was known to exist before it was asked for. */
  settle(seen = 0): void {
    this.#skipTo(seen);
    this.#isSettled = true;
    for (const rev of this.#held.keys()) if (rev <= this.#reached.rev) this.#held.delete(rev);
    this.#release();
  }

  /** What is before is read by pages, if at all: it goes on after that. Of a server that was restored what came before says nothing. */
  startAfter({ rev, seq }: Progress): void {
    if (rev < this.#reached.rev) {
      this.#seen = rev;
      this.#held.clear();
    }
    this.#progress = { rev, seq };
    this.#clearedSeq = 0;
    this.#recent.clear();
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

  get #reached(): Progress {
    return this.#progress ?? { rev: 0, seq: 0 };
  }

  #skipTo(rev: number): void {
    const reached = this.#reached;
    this.#progress = { ...reached, rev: Math.max(reached.rev, rev) };
  }

  #release(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      this.#held.delete(next.rev);
      this.#moveTo(next);
    }
  }

  #next(): Message | undefined {
    const { rev, seq } = this.#reached;
    const change = this.#held.get(rev + 1);
    return change?.apply(this.#recent.get(change.messageId), seq);
  }

  #moveTo(message: Message): void {
    this.#progress = { rev: message.rev, seq: Math.max(this.#reached.seq, message.seq) };
    this.see(message.rev);
    if (message.seq <= this.#clearedSeq) return;
    this.#remember(message);
    this.#give(message);
  }

  #remember(message: Message): void {
    const { messageId } = message;
    this.#recent.delete(messageId);
    this.#recent.set(messageId, message);
    const [oldest] = this.#recent.keys();
    if (oldest !== undefined && this.#recent.size > MAX_RECENT) this.#recent.delete(oldest);
  }
}
