import { WebSocket } from 'ws';
import { z } from 'zod';
import type { Account } from '../bench/client.ts';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { type Answer, type Failure, frame } from '../test/support/socket.ts';
import type { Line } from './actor.ts';
import { kept, quote } from './ask.ts';
import { ANSWER_WITHIN } from './bounds.ts';
import { type SeenConnection, UNCHANGED } from './history.ts';
import type { Run } from './run.ts';
import type { Server } from './server.ts';

const broadcastItem = z.object({
  messageId: z.string(),
  senderId: z.string(),
  message: z.string(),
  createdAt: z.string(),
  replyTo: quote.nullable(),
  seq: z.number(),
  rev: z.number(),
  groupId: z.string().optional(),
});
const BROADCASTS = new Set(['privateMessage', 'messageInGroup']);
/** What the client sees of a connection that was cut. */
const CUT = 1006;
const RESTART = 1012;
const READ_TOO_SLOWLY = 1013;

const ANSWERED_IN_TIME = `every request is answered within ${ANSWER_WITHIN} ms`;
const OF_THE_CONTRACT = 'every frame is one of the contract';

interface Pending {
  sentAt: number;
  moment: number;
  onAnswer: (answer: Answer | Failure, sentAt: number) => void;
}

interface Events {
  /** It is open, and known to the history. */
  opened: (seen: SeenConnection) => void;
  /** It is gone; what was asked and not answered never will be. */
  closed: () => void;
}

/** One connection of a client: writes down what it sees, and judges how it ends. */
export class Link implements Line {
  /** The number of the server that it leads to. */
  readonly node: number;
  readonly #account: Account;
  readonly #run: Run;
  readonly #events: Events;
  readonly #socket: WebSocket;
  /** The life of that server. */
  readonly #server;
  readonly #pending = new Map<string, Pending>();
  #seen: SeenConnection | undefined;
  #serial = 0;
  #isLeaving = false;

  constructor(account: Account, server: Server, run: Run, events: Events) {
    this.node = server.node;
    this.#account = account;
    this.#run = run;
    this.#events = events;
    this.#server = server.current;
    this.#socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/ws`, {
      headers: { authorization: `Bearer ${account.token}` },
      perMessageDeflate: false,
      handshakeTimeout: ANSWER_WITHIN,
    });
    this.#socket.on('unexpected-response', (_request, { statusCode }) => {
      run.verdict.check(
        'a connection is refused only with 503',
        statusCode === 503,
        () => `a connection of ${account.id} was refused with HTTP ${statusCode}`,
      );
      run.counts.error(`HTTP ${statusCode}`);
      this.#socket.terminate();
    });
    this.#socket.on('error', ({ message }) => {
      run.verdict.check(ANSWERED_IN_TIME, !message.includes('timed out'), () => `a handshake of ${account.id}: not answered at all`);
    });
    this.#socket.on('open', () => this.#onOpen());
    this.#socket.on('message', (data) => this.#onFrame(String(data)));
    this.#socket.on('close', (code) => this.#onClose(code));
  }

  /** Requests that were not answered yet. */
  get unanswered(): number {
    return this.#pending.size;
  }

  /** Sends a request; `onAnswer` gets its answer or error and the time at which it was sent, or is never called when the connection ends. */
  request(type: string, params: object, onAnswer: Pending['onAnswer']): void {
    const requestId = String(++this.#serial);
    this.#pending.set(requestId, { sentAt: Date.now(), moment: this.#run.history.moment(), onAnswer });
    this.#socket.send(JSON.stringify({ type, params, requestId }));
  }

  vanish(): void {
    this.#isLeaving = true;
    this.#socket.terminate();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes the connection in order. */
  close(): void {
    this.#isLeaving = true;
    this.#socket.close();
  }

  get #isSlow(): boolean {
    return Date.now() < (this.#run.slowUntil.get(this.#account.id) ?? 0);
  }

  #onOpen(): void {
    const { history, counts } = this.#run;
    this.#seen = { userId: this.#account.id, node: this.node, openedAt: history.moment(), caughtUpAt: 0, broadcasts: [] };
    history.connections.push(this.#seen);
    counts.connects++;
    this.#events.opened(this.#seen);
  }

  #onFrame(text: string): void {
    const parsed = frame.safeParse(JSON.parse(text));
    this.#run.verdict.check(OF_THE_CONTRACT, parsed.success, () => `${this.#account.id} received ${text}`);
    if (!parsed.success) return;
    if ('success' in parsed.data && parsed.data.params.isBroadcast) this.#onBroadcast(parsed.data);
    else this.#onAnswer(parsed.data, text);
  }

  #onBroadcast({ type, params }: Answer): void {
    const { verdict, history, counts } = this.#run;
    const item = broadcastItem.safeParse(params.item);
    const isExpected = BROADCASTS.has(type) && item.success;
    verdict.check(OF_THE_CONTRACT, isExpected, () => `${this.#account.id} received a broadcast ${type} ${JSON.stringify(params.item)}`);
    if (!isExpected) return;
    counts.broadcasts++;
    const { messageId, senderId, message, createdAt, replyTo, seq, rev, groupId } = item.data;
    const conversationId = groupId ?? dialogId(senderId, this.#account.id);
    const content = kept(history, messageId, message);
    const place = { createdAt: Date.parse(createdAt), seq, rev };
    this.#seen?.broadcasts.push({ conversationId, messageId, senderId, content, ...UNCHANGED, replyTo, ...place });
    history.told(conversationId, rev);
  }

  #onAnswer(answer: Answer | Failure, text: string): void {
    const { verdict, counts } = this.#run;
    const requestId = String(answer.requestId);
    const pending = this.#pending.get(requestId);
    verdict.check(
      'every request is answered once',
      pending !== undefined,
      () => `${this.#account.id} had asked nothing and received ${text}`,
    );
    if (!pending) return;
    this.#pending.delete(requestId);
    if (this.#seen) this.#seen.caughtUpAt = Math.max(this.#seen.caughtUpAt, pending.moment);
    const wait = Date.now() - pending.sentAt;
    // What waits for a client that does not read was answered long ago.
    if (!this.#isSlow) {
      counts.longestAnswer = Math.max(counts.longestAnswer, wait);
      verdict.check(ANSWERED_IN_TIME, wait <= ANSWER_WITHIN, () => `${this.#account.id} waited ${wait} ms for ${text.slice(0, 200)}`);
    }
    pending.onAnswer(answer, pending.sentAt);
  }

  #onClose(code: number): void {
    if (this.#seen && !this.#isLeaving) {
      const { ending } = this.#server;
      const isDue =
        (ending === 'killed' && code === CUT) ||
        (ending === 'asked' && code === RESTART) ||
        (this.#isSlow && (code === READ_TOO_SLOWLY || code === CUT));
      this.#run.verdict.check(
        'connections stay open, and are closed with the right code',
        isDue,
        () => `a connection of ${this.#account.id} was closed with ${code} while the server was ${ending ?? 'to go on'}`,
      );
    }
    if (this.#seen) this.#run.counts.closed(code);
    this.#pending.clear();
    this.#events.closed();
  }
}
