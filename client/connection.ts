import { Backoff } from './backoff.ts';
import { Pending } from './pending.ts';
import { closed, RequestError, unauthorized } from './requestError.ts';
import type { Socket, SocketClass } from './socket.ts';
import type { Timings } from './timings.ts';
import type { AnswerParams, BroadcastFrame, Frame, Params, RequestType } from './wire.ts';

/** Close codes of the server after which something else is done than to come back soon. */
const UNAUTHORIZED = 4001;
const POLICY = 1008;
const FRAME_TOO_LARGE = 1009;
/** What is seen of a connection that was cut. */
const CUT = 1006;

/** How a connection ended, or why there was none. */
export interface Loss {
  /** As WebSockets have it; 1006 when nobody closed it. */
  code: number;
  /** In words; empty when nobody knows. */
  reason: string;
}

interface Surroundings {
  url: string;
  token: string;
  WebSocket: SocketClass;
  timings: Timings;
  /** A connection is open. */
  opened(): void;
  /** The connection is gone; called before the requests under way fail. */
  closed(): void;
  /** The server does not accept the token, or no longer: the connection will not come back. */
  unauthorized(): void;
  /** There is no connection, or no longer, and another attempt follows. */
  lost(loss: Loss): void;
  broadcast(frame: BroadcastFrame): void;
  /** Nothing has come for a while: something is to be asked. */
  silent(): void;
}

/**
 * One connection after another, until it is closed or unauthorized.
 *
 * Nothing that came over a connection is told after `closed` was called for it, and no request outlives it.
 */
export class Connection {
  readonly #around: Surroundings;
  readonly #backoff: Backoff;
  readonly #pending: Pending;
  #socket: Socket | undefined;
  #isOpen = false;
  #hasEnded = false;
  #reconnecting: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(surroundings: Surroundings) {
    const { timings } = surroundings;
    this.#around = surroundings;
    this.#backoff = new Backoff(timings.firstWait, timings.longestWait);
    this.#pending = new Pending(timings.answerWithin, () => this.#gaveUp());
  }

  connect(): void {
    this.#reconnecting = undefined;
    const { url, token, WebSocket, timings } = this.#around;
    const socket = new WebSocket(url, ['auth', token]);
    this.#socket = socket;
    this.#silence = setTimeout(() => this.#gaveUp(), timings.answerWithin);
    let failure = '';
    const isCurrent = () => socket === this.#socket;
    socket.addEventListener('open', () => isCurrent() && this.#opened());
    socket.addEventListener('message', ({ data }) => isCurrent() && this.#received(data));
    socket.addEventListener('close', ({ code, reason }) => isCurrent() && this.#lost({ code, reason: reason || failure }));
    // The close follows.
    socket.addEventListener('error', ({ message = '' }) => {
      failure = message;
    });
  }

  /** Tries again at once, where it waits before it does. An open connection is to show soon that it is none of the dead. */
  connectNow(): void {
    if (this.#isOpen) this.#probe();
    if (this.#reconnecting === undefined) return;
    clearTimeout(this.#reconnecting);
    this.#backoff.reset();
    this.connect();
  }

  /**
   * Sends a request.
   * @throws {RequestError} the server's error; `disconnected` when there is no connection, or it is lost before the answer;
   * `closed` after the end, and `unauthorized` when that comes before the answer
   */
  async request<Type extends RequestType>(type: Type, params: Params<Type>): Promise<AnswerParams<Type>> {
    if (this.#hasEnded) throw closed();
    const socket = this.#socket;
    if (!socket || !this.#isOpen) throw new RequestError('disconnected', 'There is no connection now');
    return this.#pending.add<AnswerParams<Type>>((requestId) => {
      const text = JSON.stringify({ type, params, requestId });
      socket.send(text);
      return text.length;
    });
  }

  /** Ends for good. */
  end(): void {
    this.#hasEnded = true;
    this.#lost({ code: CUT, reason: '' });
    clearTimeout(this.#reconnecting);
    this.#reconnecting = undefined;
  }

  #opened(): void {
    this.#isOpen = true;
    this.#listen();
    this.#around.opened();
  }

  #received(data: unknown): void {
    this.#listen();
    const frame: Frame = JSON.parse(String(data));
    if (isBroadcast(frame)) this.#around.broadcast(frame);
    else {
      this.#backoff.reset();
      this.#pending.settle(frame);
    }
  }

  /** Something came: the silence begins anew. */
  #listen(): void {
    const { timings, silent } = this.#around;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(silent, timings.silence);
  }

  #probe(): void {
    const { timings, silent } = this.#around;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#gaveUp(), timings.signOfLifeWithin);
    silent();
  }

  #gaveUp(): void {
    this.#lost({ code: CUT, reason: 'The server did not answer in time' });
  }

  #lost({ code, reason }: Loss): void {
    const socket = this.#socket;
    if (!socket) return;
    const wasOpen = this.#isOpen;
    this.#socket = undefined;
    this.#isOpen = false;
    clearTimeout(this.#silence);
    if (wasOpen) this.#around.closed();
    this.#pending.failAll(this.#failure(code), code === FRAME_TOO_LARGE);
    socket.close();
    if (code === UNAUTHORIZED && !this.#hasEnded) {
      this.#hasEnded = true;
      this.#around.unauthorized();
    }
    if (this.#hasEnded) return;
    const wait = code === POLICY ? this.#backoff.nextLong() : this.#backoff.next();
    this.#reconnecting = setTimeout(() => this.connect(), wait);
    this.#around.lost({ code, reason });
  }

  /** Why that fails which was under way. */
  #failure(code: number): RequestError {
    if (this.#hasEnded) return closed();
    return code === UNAUTHORIZED ? unauthorized() : new RequestError('disconnected', 'The connection was lost before the answer');
  }
}

function isBroadcast(frame: Frame): frame is BroadcastFrame {
  return 'success' in frame && frame.params.isBroadcast;
}
