import { AppError } from '../errors.ts';
import type { Operation } from '../operation.ts';
import type { Reply } from './dispatch.ts';
import type { Envelope } from './envelope.ts';

/** Requests that may be unanswered, and characters in them; then no more should be read. */
const MAX_UNANSWERED = 256;
const MAX_UNANSWERED_LENGTH = 4 * 1024 * 1024;
/** How long a server that stops lets its clients wait, in milliseconds. */
const LAST_ANSWER = 8_000;

/** Whose requests these are. An object and not functions: each connection has a queue. */
export interface RequestHandler {
  /** Runs a request; resolves with its answer, also when it fails. */
  run(request: Request): Promise<Reply>;
  answer(reply: Reply): void;
  /** A request could not be answered. */
  failed(error: unknown): void;
  /** Answers a request that was not run, or not to its end. */
  refuse(request: Request, error: AppError): void;
  /** The queue has become longer or shorter: the client is read again, or not for now. */
  holdBack(): void;
}

/** What a client asked for. */
export interface Request {
  envelope: Envelope;
  /** What its type names; undefined when it names nothing. */
  operation: Operation | undefined;
  /** In characters. */
  length: number;
}

/** The requests of one connection. They begin in the order in which they came, side by side; what is exclusive runs alone. */
export class RequestQueue {
  readonly #handler: RequestHandler;
  readonly #waiting: Request[] = [];
  /** A list, as there are few: an empty set would take more memory than all the rest of an idle connection's queue. */
  readonly #running: Request[] = [];
  #isExclusive = false;
  /** Of the requests that wait or run, in characters. */
  #length = 0;
  #emptied: (() => void) | undefined;

  constructor(handler: RequestHandler) {
    this.#handler = handler;
  }

  /** Whether so much is unanswered that no more should be read. */
  get isFull(): boolean {
    return this.#running.length + this.#waiting.length >= MAX_UNANSWERED || this.#length >= MAX_UNANSWERED_LENGTH;
  }

  /** Adds a request, and begins it as soon as it is its turn. */
  add(request: Request): void {
    this.#waiting.push(request);
    this.#length += request.length;
    this.#next();
  }

  /** Forgets what has not begun. */
  clear(): void {
    for (const { length } of this.#waiting.splice(0)) this.#length -= length;
  }

  /** Resolves when all is answered. What is not done in time is answered `unavailable`: it may be done all the same. */
  async finish(): Promise<void> {
    if (this.#isEmpty) return;
    const timer = setTimeout(() => this.#giveUp(), LAST_ANSWER);
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    clearTimeout(timer);
  }

  get #isEmpty(): boolean {
    return this.#running.length + this.#waiting.length === 0;
  }

  #giveUp(): void {
    const given = [...this.#running.splice(0), ...this.#waiting.splice(0)];
    for (const request of given) this.#handler.refuse(request, new AppError('unavailable'));
    this.#emptied?.();
  }

  /** Starts what waits, in order, as far as exclusive operations allow. */
  #next(): void {
    while (!this.#isExclusive) {
      const request = this.#waiting[0];
      if (!request || (request.operation?.exclusive && this.#running.length > 0)) break;
      this.#waiting.shift();
      this.#run(request).catch((error: unknown) => this.#handler.failed(error));
    }
    this.#handler.holdBack();
    if (this.#isEmpty) this.#emptied?.();
  }

  async #run(request: Request): Promise<void> {
    this.#running.push(request);
    this.#isExclusive = request.operation?.exclusive ?? false;
    const reply = await this.#handler.run(request);
    const index = this.#running.indexOf(request);
    if (index === -1) return;
    this.#running.splice(index, 1);
    this.#length -= request.length;
    this.#isExclusive = false;
    this.#handler.answer(reply);
    this.#next();
  }
}
