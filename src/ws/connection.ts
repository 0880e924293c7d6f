import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { toAppError } from '../db/databaseErrors.ts';
import { AppError } from '../errors.ts';
import type { Claims } from '../features/auth/tokens.ts';
import { joinWrites } from '../lib/joinWrites.ts';
import type { Logger } from '../lib/logger.ts';
import type { Context, Operation, Services } from '../operation.ts';
import { type Frame, textFrame } from '../realtime/frame.ts';
import type { OptInEvent } from '../realtime/optInEvents.ts';
import type { Subscriber } from '../realtime/subscriber.ts';
import { CLOSE, type CloseReason } from './closeCodes.ts';
import { dispatch, type Reply } from './dispatch.ts';
import { endWithin } from './endWithin.ts';
import { errorFrame, PROCESSOR, parseEnvelope, type RequestId } from './envelope.ts';
import { RequestLimit } from './requestLimit.ts';
import { type Request, type RequestHandler, RequestQueue } from './requestQueue.ts';

/** Bytes that may wait for a client to read them before its socket is not read any more: who does not read gets no more answers. */
const MAX_UNREAD_ANSWERS = 256 * 1024;
/** Bytes that may be left of what was written to a client before; if there are more, it reads too slowly, and is closed. */
const MAX_UNREAD = 4 * 1024 * 1024;

const NO_EVENTS: ReadonlySet<OptInEvent> = new Set();

/** One client: takes its requests in order, runs them, answers them, and passes on what is broadcast to it. */
export class Connection implements Subscriber, Context, RequestHandler {
  /** Stands in its log lines. */
  readonly id: string;
  readonly claims: Claims;
  readonly services: Services;
  readonly topics = new Set<string>();
  events: ReadonlySet<OptInEvent> = NO_EVENTS;
  groupChanges: Map<string, boolean> | undefined;
  /** The session ended while the connection was being opened, or after. */
  revoked = false;
  /** What it may receive was read before a change that may have been made since. */
  isStale = false;
  /** With what code the server ended it; undefined while it has not. */
  closeCode: number | undefined;
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly #requests: RequestQueue;
  readonly #limit: RequestLimit | undefined;
  #socket: WebSocket | undefined;
  /** What `#socket` writes to. */
  #stream: Duplex | undefined;
  /** Whether the client gave a sign of life since the last ping. */
  #alive = true;
  /** Pings that the client may still answer. */
  #unanswered = 0;
  /** Waits until the client has read what was written to it. */
  #draining = false;
  #isFinishing = false;

  constructor(id: string, claims: Claims, services: Services, operations: ReadonlyMap<string, Operation>) {
    this.id = id;
    this.claims = claims;
    this.services = services;
    this.#operations = operations;
    this.#requests = new RequestQueue(this);
    this.#limit = services.env.RATE_LIMITS === 'on' ? new RequestLimit() : undefined;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  get userId(): string {
    return this.claims.userId;
  }

  get sessionId(): string {
    return this.claims.sessionId;
  }

  get connection(): Subscriber {
    return this;
  }

  /** Writes the ids of the connection and its user into every line. Made anew each time: a connection hardly ever has anything to tell. */
  get logger(): Logger {
    return this.services.logger.child({ connectionId: this.id, userId: this.userId });
  }

  /** Begins to serve the client at the other end of `socket`, which writes to `stream`. */
  attach(socket: WebSocket, stream: Duplex): void {
    this.#socket = socket;
    this.#stream = stream;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('ping', () => this.#count());
    socket.on('pong', () => {
      this.#alive = true;
      if (this.#unanswered > 0) this.#unanswered--;
      else this.#count();
    });
    if (this.revoked) this.close(CLOSE.unauthorized);
    else if (this.isStale) this.close(CLOSE.inDoubt);
  }

  deliver({ text, bytes }: Frame): void {
    const socket = this.#socket;
    const stream = this.#stream;
    if (!socket || !stream || socket.readyState !== socket.OPEN) return;
    // What is held back of this batch tells nothing of the client: it had no chance to read it.
    if (joinWrites(stream) && socket.bufferedAmount > MAX_UNREAD) {
      this.#endSlowReader();
      return;
    }
    if (bytes) stream.write(bytes);
    else socket.send(text);
  }

  revoke(): void {
    this.revoked = true;
    // What has not begun is not done for a session that has ended.
    this.#requests.clear();
    this.close(CLOSE.unauthorized);
  }

  reconnect(): void {
    this.isStale = true;
    this.close(CLOSE.inDoubt);
  }

  close({ code, reason, timeout }: CloseReason): void {
    const socket = this.#socket;
    if (!socket || socket.readyState !== socket.OPEN) return;
    this.closeCode = code;
    socket.close(code, reason);
    endWithin(timeout, socket);
  }

  /** Takes no more requests, answers those it has, and closes; resolves when the connection is gone. Never rejects. */
  async finish(reason: CloseReason): Promise<void> {
    const socket = this.#socket;
    if (!socket || socket.readyState === socket.CLOSED) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    this.#isFinishing = true;
    await this.#requests.finish();
    if (socket.readyState === socket.OPEN) this.close(reason);
    else endWithin(reason.timeout, socket);
    await closed;
  }

  /** Ends the connection when its token has expired, or its client is gone or does not read; else asks the client for a sign of life. */
  sweep(now: number): void {
    if (!this.#socket) return;
    if (now >= this.claims.expiresAt.getTime()) this.close(CLOSE.unauthorized);
    // While it is behind, the server does not read what the client says.
    else if (this.#alive || this.#requests.isFull) {
      this.#alive = false;
      this.#unanswered++;
      this.#socket.ping();
    }
    // Nor while the client is.
    else if (this.#draining) this.#endSlowReader();
    else this.#socket.terminate();
  }

  #endSlowReader(): void {
    this.services.metrics.slowReaders.inc();
    this.close(CLOSE.slowReader);
  }

  /** Counts a frame that nobody asked the client for. Returns the seconds to wait before the next; undefined when it is closed for it. */
  #count(): number | undefined {
    const wait = this.#limit ? this.#limit.take() : 0;
    if (wait === undefined) this.close(CLOSE.rateLimited);
    return wait;
  }

  #receive(data: RawData, isBinary: boolean): void {
    const socket = this.#socket;
    if (this.#isFinishing || !socket || socket.readyState !== socket.OPEN) return;
    this.#alive = true;
    if (Date.now() >= this.claims.expiresAt.getTime()) {
      this.close(CLOSE.unauthorized);
      return;
    }
    const wait = this.#count();
    if (wait === undefined) return;
    try {
      if (isBinary) throw new AppError('invalid_frame');
      const text = data.toString();
      const envelope = parseEnvelope(text);
      const request = { envelope, operation: this.#operations.get(envelope.type ?? ''), length: text.length };
      if (wait > 0) this.refuse(request, new AppError('rate_limited', { retryAfter: wait }));
      else this.#requests.add(request);
    } catch (error) {
      this.#answerError(PROCESSOR, toAppError(error, this));
    }
  }

  run({ envelope, operation }: Request): Promise<Reply> {
    return dispatch(this, operation, envelope);
  }

  answer({ text, type, outcome }: Reply): void {
    this.services.metrics.countRequest(type, outcome);
    this.deliver(textFrame(text));
  }

  failed(error: unknown): void {
    this.logger.error(error, 'a request could not be answered');
    this.close(CLOSE.internal);
  }

  refuse({ envelope: { type, requestId }, operation }: Request, error: AppError): void {
    this.#answerError(operation && type !== undefined ? type : PROCESSOR, error, requestId);
  }

  #answerError(type: string, error: AppError, requestId?: RequestId): void {
    this.answer({ text: errorFrame(type, error, requestId), type, outcome: error.code });
    this.holdBack();
  }

  /** Reads from the client no faster than it is served, and than it reads its answers: what it sends meanwhile stays on its side. */
  holdBack(): void {
    const socket = this.#socket;
    if (!socket) return;
    if (!this.#draining && socket.bufferedAmount > MAX_UNREAD_ANSWERS) {
      this.#draining = true;
      this.#stream?.once('drain', () => {
        this.#draining = false;
        this.holdBack();
      });
    }
    if (this.#draining || this.#requests.isFull) socket.pause();
    else if (socket.isPaused) {
      // Its signs of life were not read.
      this.#alive = true;
      socket.resume();
    }
  }
}
