import { Losses } from './losses.ts';

/** What is between two moments at least. */
const LEAST = 0.001;

/** A dialog or a group whose members do not change. */
export interface Conversation {
  id: string;
  kind: 'dialog' | 'group';
  memberIds: ReadonlySet<string>;
}

/** What names a conversation in a request of this user. */
export function nameOf({ id, kind, memberIds }: Conversation, userId: string): { groupId: string } | { receiverId: string } {
  if (kind === 'group') return { groupId: id };
  const [receiverId = userId] = [...memberIds].filter((memberId) => memberId !== userId);
  return { receiverId };
}

/** A message as clients see it. `createdAt` is in milliseconds since 1970. */
export interface SeenMessage {
  messageId: string;
  senderId: string;
  content: string;
  createdAt: number;
  seq: number;
  rev: number;
}

/** A message as its sender knows it. Moments are those of the history. */
export interface Send {
  messageId: string;
  conversation: Conversation;
  senderId: string;
  content: string;
  /** The connection of the first transmission, and its moment. */
  connection: SeenConnection;
  begunAt: number;
  /** The server that it was transmitted to; undefined when there were several. */
  node: number | undefined;
  /** How often it was transmitted so far. */
  transmissions: number;
  /** The moment of the first success; undefined until then. */
  acknowledgedAt: number | undefined;
}

/** A connection as its client saw it. */
export interface SeenConnection {
  userId: string;
  /** The number of the server. */
  node: number;
  openedAt: number;
  /** The moment at which the latest request that was answered was sent: what was broadcast before has arrived. */
  caughtUpAt: number;
  broadcasts: (SeenMessage & { conversationId: string })[];
}

/** Pages of one conversation that follow one another, as one list, newest first. */
export interface SeenPages {
  userId: string;
  conversationId: string;
  rows: SeenMessage[];
  /** A message that was acknowledged before the first page was asked for: it is in the list or older. Undefined where nothing was. */
  acknowledged: Send | undefined;
}

/**
 * All that the clients of a run did and saw. They live in one process, so all that happens to them is in one order:
 * a moment is a number of milliseconds, and of two moments the greater is later.
 */
export class History {
  readonly conversations = new Map<string, Conversation>();
  /** By message id, in the order in which they were begun. */
  readonly sends = new Map<string, Send>();
  /** In the order in which they were opened. */
  readonly connections: SeenConnection[] = [];
  readonly pages: SeenPages[] = [];
  /** By conversation id. */
  readonly latestAcknowledged = new Map<string, Send>();
  readonly losses = new Losses();
  #moment = 0;

  /** A moment later than all before. */
  moment(): number {
    this.#moment = Math.max(performance.now(), this.#moment + LEAST);
    return this.#moment;
  }
}
