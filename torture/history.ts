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
  editedAt: number | null;
  deletedAt: number | null;
  replyTo: Quote | null;
  /** In words, as `reactionsText` puts them. */
  reactions: string;
  seq: number;
  rev: number;
}

/** What a message answers, as clients see it. */
interface Quote {
  messageId: string;
  content: string;
  deleted: boolean;
}

/** How a message is before anybody changes it. */
export const UNCHANGED = { editedAt: null, deletedAt: null, reactions: '' };

/** The reactions to a message in words, in their order, the reader's own ones with a star. */
export function reactionsText(reactions: { emoji: string; count: number; mine: boolean }[]): string {
  return reactions.map(({ emoji, count, mine }) => `${emoji}${count}${mine ? '*' : ''}`).join(' ');
}

/** A message as its sender knows it. Moments are those of the history. */
export interface Send {
  messageId: string;
  conversation: Conversation;
  senderId: string;
  content: string;
  /** The message that it answers. */
  replyToId: string | null;
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

/** What somebody does to a message that was sent before. */
export type Deed = { kind: 'edit'; content: string } | { kind: 'delete' } | { kind: 'react'; emoji: string; isAdded: boolean };

/** A change of a message as who made it knows it. One user changes a message once at a time. */
export interface Change {
  messageId: string;
  conversation: Conversation;
  userId: string;
  deed: Deed;
  begunAt: number;
  /** How often it was asked for so far. */
  transmissions: number;
  /** What became of it; undefined until that is known. It may be refused though it was made: when it was asked for again. */
  outcome: 'made' | 'refused' | undefined;
  /** What the message had then; 0 until it is made. */
  rev: number;
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
  /** Of the one row of a chat list, which has the `rev` of its conversation: how many messages are said to be unread. */
  unreadCount?: number | undefined;
}

/**
 * All that the clients of a run did and saw. They live in one process, so all that happens to them is in one order:
 * a moment is a number of milliseconds, and of two moments the greater is later.
 */
export class History {
  readonly conversations = new Map<string, Conversation>();
  /** By message id, in the order in which they were begun. */
  readonly sends = new Map<string, Send>();
  /** By message id, in the order in which they were begun. */
  readonly changes = new Map<string, Change[]>();
  /** By conversation id, each `rev` that the clients were told of. */
  readonly revs = new Map<string, Set<number>>();
  /** In the order in which they were opened. */
  readonly connections: SeenConnection[] = [];
  readonly pages: SeenPages[] = [];
  /** By conversation id. */
  readonly latestAcknowledged = new Map<string, Send>();
  readonly losses = new Losses();
  #moment = 0;

  /** A change begins. */
  begin(change: Change): void {
    const changes = this.changes.get(change.messageId) ?? [];
    this.changes.set(change.messageId, changes);
    changes.push(change);
  }

  /** The last message of a conversation that was acknowledged, if any was. */
  lastIdIn({ id }: Conversation): string | null {
    return this.latestAcknowledged.get(id)?.messageId ?? null;
  }

  /** A client was told of a `rev` of a conversation. */
  told(conversationId: string, rev: number): void {
    const revs = this.revs.get(conversationId) ?? new Set();
    this.revs.set(conversationId, revs.add(rev));
  }

  /** A moment later than all before. */
  moment(): number {
    this.#moment = Math.max(performance.now(), this.#moment + LEAST);
    return this.#moment;
  }
}
