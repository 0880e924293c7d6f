import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { toAppError } from '../db/databaseErrors.ts';
import { AppError } from '../errors.ts';
import type { Claims } from '../features/auth/tokens.ts';
import { joinWrites } from '../lib/joinWrites.ts';
import type { Logger } from '../lib/logger.ts';
import type { Context, Operation, Services } from '../operation.ts';
import { type Frame, textFrame } from '../realtime/frame.ts';
import type { Subscriber } from '../realtime/hub.ts';
import { CLOSE, type CloseReason } from './closeCodes.ts';
import { dispatch, UNKNOWN_TYPE } from './dispatch.ts';
import { type Envelope, errorFrame, PROCESSOR, parseEnvelope } from './envelope.ts';

/** Requests of one connection that may be unanswered; then its socket is not read until one is answered. */
const MAX_UNANSWERED = 256;
/** Bytes that may be left of what was written to a client before; if there are more, it reads too slowly, and is closed. */
const MAX_UNREAD = 4 * 1024 * 1024;

/** One client: takes its requests in order, runs them, answers them, and passes on what is broadcast to it. */
export class Connection implements Subscriber, Context {
  /** Stands in its log lines. */
  readonly id: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly services: Services;
  readonly topics = new Set<string>();
  leftGroups: Set<string> | undefined;
  /** The session ended while the connection was being opened, or after. */
  revoked = false;
  /** With what code the server ended it; undefined while it has not. */
  closeCode: number | undefined;
  readonly #expiresAt: number;
  readonly #operations: ReadonlyMap<string, Operation>;
  readonly #waiting: Envelope[] = [];
  #socket: WebSocket | undefined;
  /** What `#socket` writes to. */
  #stream: Duplex | undefined;
  /** Whether the client answered the last ping. */
  #alive = true;
  #running = 0;
  #exclusive = false;
  #finished: (() => void) | undefined;

  constructor(id: string, claims: Claims, services: Services, operations: ReadonlyMap<string, Operation>) {
    this.id = id;
    this.userId = claims.userId;
    this.sessionId = claims.sessionId;
    this.#expiresAt = claims.expiresAt.getTime();
    this.services = services;
    this.#operations = operations;
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
    socket.on('pong', () => {
      this.#alive = true;
    });
    if (this.revoked) this.close(CLOSE.unauthorized);
  }

  deliver({ text, bytes }: Frame): void {
    const socket = this.#socket;
    const stream = this.#stream;
    if (!socket || !stream || socket.readyState !== socket.OPEN) return;
    // What is held back of this batch tells nothing of the client: it had no chance to read it.
    if (joinWrites(stream) && socket.bufferedAmount > MAX_UNREAD) {
      this.services.metrics.slowReaders.inc();
      this.close(CLOSE.slowReader);
      return;
    }
    if (bytes) stream.write(bytes);
    else socket.send(text);
  }

  revoke(): void {
    this.revoked = true;
    this.close(CLOSE.unauthorized);
  }

  close({ code, reason }: CloseReason): void {
    const socket = this.#socket;
    if (!socket || socket.readyState !== socket.OPEN) return;
    this.closeCode = code;
    socket.close(code, reason);
  }

  /** Takes no more requests, answers those it has, and closes; resolves when the connection is gone. */
  async finish(reason: CloseReason): Promise<void> {
    const socket = this.#socket;
    if (!socket || socket.readyState === socket.CLOSED) return;
    const closed = once(socket, 'close');
    if (this.#running + this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#finished = resolve;
      });
    }
    this.#finished ??= () => {};
    this.close(reason);
    await closed;
  }

  /** Ends the connection when its token has expired or its client is gone; else asks the client for a sign of life. */
  sweep(now: number): void {
    if (now >= this.#expiresAt) this.close(CLOSE.unauthorized);
    else if (!this.#alive) this.#socket?.terminate();
    else {
      this.#alive = false;
      this.#socket?.ping();
    }
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.revoked || this.#finished) return;
    if (Date.now() >= this.#expiresAt) {
      this.close(CLOSE.unauthorized);
      return;
    }
    try {
      if (isBinary) throw new AppError('invalid_frame');
      this.#waiting.push(parseEnvelope(data.toString()));
    } catch (error) {
      const failure = toAppError(error, this);
      this.services.metrics.countRequest(UNKNOWN_TYPE, failure.code);
      this.deliver(textFrame(errorFrame(PROCESSOR, failure)));
      return;
    }
    this.#next();
  }

  /** Starts what waits, in order, as far as exclusive operations allow. */
  #next(): void {
    while (!this.#exclusive) {
      const envelope = this.#waiting[0];
      const operation = envelope && this.#operations.get(envelope.type ?? '');
      if (!envelope || (operation?.exclusive && this.#running > 0)) break;
      this.#waiting.shift();
      this.#run(envelope, operation).catch((error: unknown) => {
        this.logger.error(error, 'a request could not be answered');
        this.close(CLOSE.internal);
      });
    }
    if (this.#running + this.#waiting.length >= MAX_UNANSWERED) this.#socket?.pause();
    else if (this.#socket?.isPaused) this.#socket.resume();
    if (this.#running + this.#waiting.length === 0) this.#finished?.();
  }

  async #run(envelope: Envelope, operation: Operation | undefined): Promise<void> {
    this.#running++;
    this.#exclusive = operation?.exclusive ?? false;
    this.deliver(textFrame(await dispatch(this, operation, envelope)));
    this.#running--;
    this.#exclusive = false;
    this.#next();
  }
}
