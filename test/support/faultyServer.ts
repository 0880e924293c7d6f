import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { Conversation } from '../../client/index.ts';
import type { Issue } from '../../src/errors.ts';
import { lastRev, missedAnswer } from './missedAnswer.ts';
import { type Deed, deedOf, doTo, type Stored, shown } from './storedMessage.ts';

/** What becomes of a frame on its way to the client. */
export type Fate = 'deliver' | 'lose' | 'double' | 'overtake' | 'cut';

/** A stored conversation. */
export interface StoredConversation extends Conversation {
  messages: Stored[];
  clearedSeq: number;
  isMember: boolean;
}

const request = z.object({ type: z.string(), params: z.record(z.string(), z.unknown()), requestId: z.string() });
const name = z.object({ receiverId: z.string().toLowerCase().optional(), groupId: z.string().toLowerCase().optional() });
const send = name.extend({ messageId: z.string(), content: z.string(), replyToId: z.string().nullish() });

const LONG_AGO = Date.UTC(2026, 0, 1);
const answered = (item: unknown, data: unknown, place?: object) => ({ item, data, isBroadcast: false, ...place });

/** Plays the protocol for one user, keeps what is sent, and does to its frames what it is told. The other side of a client. */
export class FaultyServer {
  readonly userId: string = randomUUID();
  readonly conversations: StoredConversation[] = [];
  /** What the next broadcasts, and the next answers, suffer; afterwards all are delivered. */
  readonly broadcastFates: Fate[] = [];
  readonly answerFates: Fate[] = [];
  /** Errors with which the next requests of a type are refused, and what happens before the client knows of it. */
  readonly refusals: { type: string; code: string; retryAfter?: number; issues?: Issue[]; before?: () => void }[] = [];
  /** Everything that was asked. */
  readonly requests: { type: string; params: Record<string, unknown>; at: number }[] = [];
  /** What happens once while an answer is on its way: it knows nothing of it. */
  meanwhile: (() => void) | undefined;
  /** The most changes of an answer, and the most changes that can be caught up with. */
  rowLimit = 500;
  resetAfter = 1_000;
  /** With what code a new connection is closed at once; the reason is `Refused`. */
  closeWith: number | undefined;
  /** Connections so far. */
  connects = 0;
  readonly #server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'auth' });
  #socket: WebSocket | undefined;
  #isSubscribed = false;
  #overtaken: string[] = [];
  #clock = LONG_AGO;

  constructor() {
    this.#server.on('connection', (socket) => {
      this.connects++;
      if (this.closeWith !== undefined) {
        socket.close(this.closeWith, 'Refused');
        return;
      }
      this.#socket = socket;
      this.#isSubscribed = false;
      this.#overtaken = [];
      socket.on('message', (text) => this.#receive(socket, String(text)));
    });
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `ws://127.0.0.1:${port}`;
  }

  async listen(): Promise<this> {
    if (!this.#server.address()) await once(this.#server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Ends the connection: with a code, or as when a cable is cut. */
  cut(code?: number): void {
    if (code === undefined) this.#socket?.terminate();
    else this.#socket?.close(code);
  }

  newDialog(companionId: string = randomUUID()): StoredConversation {
    return this.#add({ companionId, groupId: null, messages: [], clearedSeq: 0, isMember: true });
  }

  newGroup(): StoredConversation {
    return this.#add({ companionId: null, groupId: randomUUID(), messages: [], clearedSeq: 0, isMember: true });
  }

  /** Stores a message of somebody else, or of another device of the user, and tells the client. */
  write(conversation: StoredConversation, content: string, { own = false, replyToId = null as string | null } = {}): Stored {
    const senderId = own ? this.userId : (conversation.companionId ?? randomUUID());
    const stored = this.#store(conversation, { messageId: randomUUID(), senderId, content, replyToId });
    if (!own || this.#isSubscribed) this.tell(conversation, stored);
    return stored;
  }

  /** Tells the client of a message. */
  tell({ groupId, companionId, messages }: StoredConversation, stored: Stored): void {
    const { messageId, senderId, content: message, createdAt, replyTo, seq, rev } = shown(stored, messages, this.userId);
    const item = { messageId, senderId, message, senderName: 'Somebody', senderLastName: null, createdAt, replyTo, seq, rev };
    const addressed = groupId === null ? item : { ...item, groupId, groupName: 'Friends', notification: false };
    const type = groupId === null ? 'privateMessage' : 'messageInGroup';
    this.broadcast(type, stored.senderId === this.userId ? { ...addressed, companionId, groupId } : addressed);
  }

  broadcast(type: string, item: object): void {
    this.#pass(this.#socket, { type, success: true, params: { item, data: null, isBroadcast: true } }, this.broadcastFates.shift());
  }

  /** Somebody else, or another device of the user, changes a message: it becomes the last change of its conversation. Tells the client. */
  change(conversation: StoredConversation, stored: Stored, deed: Deed): void {
    const told = this.#do(conversation, stored, deed);
    if (this.#isSubscribed) this.broadcast(deed.type, told);
  }

  /** The database as it was when there were so many messages fewer. */
  forget(conversation: StoredConversation, count: number): void {
    conversation.messages.splice(-count);
  }

  #add(conversation: StoredConversation): StoredConversation {
    this.conversations.push(conversation);
    return conversation;
  }

  #do(conversation: StoredConversation, stored: Stored, deed: Deed): object {
    const { companionId, groupId } = conversation;
    stored.rev = lastRev(conversation) + 1;
    const told = doTo(stored, deed, new Date(++this.#clock).toISOString());
    return { companionId, groupId, messageId: stored.messageId, seq: stored.seq, rev: stored.rev, ...told };
  }

  #store(conversation: StoredConversation, message: Pick<Stored, 'messageId' | 'senderId' | 'content' | 'replyToId'>): Stored {
    const { messageId } = message;
    const { messages } = conversation;
    const known = messages.find((one) => one.messageId === messageId);
    if (known) return known;
    const place = { createdAt: new Date(++this.#clock).toISOString(), seq: messages.length + 1, rev: lastRev(conversation) + 1 };
    const stored = { ...message, ...place, editedAt: null, deletedAt: null, reactors: [] };
    messages.push(stored);
    return stored;
  }

  #pass(socket: WebSocket | undefined, frame: object, fate: Fate = 'deliver'): void {
    const text = JSON.stringify(frame);
    if (fate === 'overtake') this.#overtaken.push(text);
    else {
      if (fate === 'deliver' || fate === 'double') socket?.send(text);
      if (fate === 'double') socket?.send(text);
      if (fate === 'cut') this.cut();
      for (const overtaken of this.#overtaken.splice(0)) socket?.send(overtaken);
    }
  }

  #receive(socket: WebSocket, text: string): void {
    const { type, params, requestId } = request.parse(JSON.parse(text));
    this.requests.push({ type, params, at: Date.now() });
    const refusal = this.refusals.findIndex((one) => one.type === type);
    if (refusal >= 0) {
      const [{ before, ...error } = {}] = this.refusals.splice(refusal, 1);
      before?.();
      this.#pass(socket, { error: true, message: 'Refused', ...error, requestId }, this.answerFates.shift());
      return;
    }
    const answer = { type, success: true, params: this.#answer(type, params), requestId };
    const { meanwhile } = this;
    this.meanwhile = undefined;
    meanwhile?.();
    this.#pass(socket, answer, this.answerFates.shift());
  }

  #answer(type: string, params: Record<string, unknown>): object {
    if (type === 'privateMessage' || type === 'messageInGroup') return this.#take(send.parse(params));
    if (type === 'getMissed') {
      const { item, data } = missedAnswer(this, params, new Date(this.#clock));
      return answered(item, data);
    }
    if (type === 'subscribe') this.#isSubscribed = true;
    return answered(this.#changed(type, params) ?? {}, []);
  }

  #changed(type: string, params: Record<string, unknown>): object | undefined {
    const conversation = this.find(name.parse(params));
    const { messageId, deed } = deedOf(type, params, this.userId) ?? {};
    const stored = conversation?.messages.find((one) => one.messageId === messageId);
    return conversation && stored && deed && this.#do(conversation, stored, deed);
  }

  #take({ messageId, receiverId, groupId, content, replyToId = null }: z.output<typeof send>): object {
    const conversation = this.find({ receiverId, groupId }) ?? this.newDialog(receiverId);
    const { seq, rev, createdAt } = this.#store(conversation, { messageId, senderId: this.userId, content, replyToId });
    return answered(null, null, { seq, rev, createdAt });
  }

  find({ receiverId, groupId }: { receiverId?: string | undefined; groupId?: string | undefined }): StoredConversation | undefined {
    return this.conversations.find((one) => (groupId === undefined ? one.companionId === receiverId : one.groupId === groupId));
  }
}
