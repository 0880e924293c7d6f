import { type Conversation, keyOf, type Message } from './message.ts';
import { Position, type Progress } from './position.ts';

/** What an application has received, as plain JSON. A client that is made with it goes on from there. */
export interface State {
  /** Whose it is; missing in what former versions kept. */
  userId?: string;
  /** A time by the server's clock: all conversations that changed before it are among `positions`. Null: begin with what is new now. */
  changedSince: string | null;
  positions: (Conversation & Progress & { isGone: boolean })[];
}

const BEGINNING: Progress = { rev: 0, seq: 0 };

/**
 * The positions in all conversations of the user.
 *
 * A client without a state begins with what is new: the conversations that exist when it first lists them start after their last
 * message. Every other conversation is newer than that, or becomes readable only now, and starts with its first message.
 */
export class Positions {
  /** Undefined until all conversations have been listed once. */
  changedSince: string | undefined;
  /** Whether there was a state that the server did not take. */
  hasBegunAnew = false;
  readonly #userId: string;
  readonly #give: (message: Message) => void;
  readonly #positions = new Map<string, Position>();

  /** A state of another user counts as none. */
  constructor(userId: string, state: State | undefined, give: (message: Message) => void) {
    this.#userId = userId;
    this.#give = give;
    const own = (state?.userId ?? userId) === userId ? state : undefined;
    this.changedSince = own?.changedSince ?? undefined;
    for (const { companionId, groupId, rev, seq, isGone } of own?.positions ?? []) {
      this.#add({ companionId, groupId }, { rev, seq }).isGone = isGone;
    }
  }

  get state(): State {
    const positions = this.all().flatMap(({ conversation, progress, isGone }) =>
      progress ? [{ ...conversation, ...progress, isGone }] : [],
    );
    return { userId: this.#userId, changedSince: this.changedSince ?? null, positions };
  }

  /** Begins as without a state. */
  beginAnew(): void {
    this.hasBegunAnew = true;
    this.changedSince = undefined;
    this.#positions.clear();
  }

  all(): Position[] {
    return [...this.#positions.values()];
  }

  /** The position in a conversation, which may be one that the client hears of for the first time. */
  at(conversation: Conversation): Position {
    const known = this.#positions.get(keyOf(conversation));
    if (known) return known;
    const position = this.#add(conversation, undefined);
    if (this.changedSince !== undefined) position.startAfter(BEGINNING);
    return position;
  }

  /** All conversations that changed before this time are known. Returns those of which something is missing. */
  listedAt(changedSince: string): Position[] {
    this.changedSince = changedSince;
    const unlisted = this.all().filter(({ rev }) => rev === undefined);
    for (const position of unlisted) position.startAfter(BEGINNING);
    return unlisted.filter(({ mustBeAsked }) => mustBeAsked);
  }

  #add({ companionId, groupId }: Conversation, progress: Progress | undefined): Position {
    const position = new Position({ companionId, groupId }, progress, this.#give);
    this.#positions.set(keyOf(position.conversation), position);
    return position;
  }
}
