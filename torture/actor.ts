import type { Account } from '../bench/client.ts';
import type { Conversation } from './history.ts';

/** A connection, for faults to strike. */
export interface Line {
  /** Cuts the connection without a word. */
  vanish(): void;
  /** Stops reading, until `resume`. */
  pause(): void;
  resume(): void;
}

/** One device of a user: stays connected, writes, and sends again what was not acknowledged. */
export interface Actor {
  readonly account: Account;
  readonly conversations: Conversation[];
  /** Connects, and begins to write. */
  start(): void;
  /** Begins no more; what it has begun goes on. */
  quiet(): void;
  /** Ends at once. */
  end(): void;
  readonly isConnected: boolean;
  readonly unacknowledged: number;
  /** Whether it waits for nothing. */
  readonly isDone: boolean;
  /** Whether something that was sent since this time has been acknowledged. */
  hasAcknowledgementSince(time: number): boolean;
  /** The connection it has now, to do something to. */
  readonly link: Line | undefined;
  /** Begins messages now, if it can; perhaps as answers to the last message there that was acknowledged. */
  write(conversation: Conversation, texts: string[], isAnswer?: boolean): void;
}
