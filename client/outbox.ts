import type { Place } from '../src/answers.ts';
import { Backoff } from './backoff.ts';
import { keyOf, type Message } from './message.ts';
import { RequestError } from './requestError.ts';
import type { Timings } from './timings.ts';

/** Messages that may be unanswered: few enough that the server, when it says that they are too many, is not asked too often once more. */
const MAX_UNDER_WAY = 16;

/** A message on its way to the server. */
export type Draft = Pick<Message, 'companionId' | 'groupId' | 'messageId' | 'content'> & { replyToId: string | null };

interface Send {
  draft: Draft;
  resolve(place: Place): void;
  reject(error: unknown): void;
}

interface Surroundings {
  timings: Timings;
  transmit(draft: Draft): Promise<Place>;
}

/**
 * The messages that are not acknowledged yet.
 *
 * - Each is sent again, with the same `messageId`, until it is acknowledged or refused for good: so it is stored once, or not at all.
 * - One message of a conversation is under way at a time, and the next one goes when it is acknowledged or refused:
 *   so they are stored in the order in which they were given, whatever is lost or refused for a while.
 */
export class Outbox {
  readonly #around: Surroundings;
  readonly #backoff: Backoff;
  /** By conversation, in order. */
  readonly #waiting = new Map<string, Send[]>();
  readonly #underWay = new Set<string>();
  #isOpen = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(surroundings: Surroundings) {
    const { timings } = surroundings;
    this.#around = surroundings;
    this.#backoff = new Backoff(timings.firstWait, timings.longestWait);
  }

  /** Resolves when the message is stored; rejects when it is refused for good. */
  add(draft: Draft): Promise<Place> {
    return new Promise((resolve, reject) => {
      const key = keyOf(draft);
      const waiting = this.#waiting.get(key) ?? [];
      waiting.push({ draft, resolve, reject });
      this.#waiting.set(key, waiting);
      this.#next();
    });
  }

  /** A connection begins. */
  start(): void {
    this.#isOpen = true;
    this.#next();
  }

  /** The connection is gone. */
  stop(): void {
    this.#isOpen = false;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#backoff.reset();
  }

  /** Nothing will be sent any more. */
  end(error: RequestError): void {
    this.stop();
    const left = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    for (const { reject } of left) reject(error);
  }

  #next(): void {
    for (const [key, [send]] of this.#waiting) {
      if (!this.#isOpen || this.#pause || this.#underWay.size >= MAX_UNDER_WAY) return;
      if (send && !this.#underWay.has(key)) void this.#transmit(key, send);
    }
  }

  async #transmit(key: string, { draft, resolve, reject }: Send): Promise<void> {
    this.#underWay.add(key);
    try {
      const place = await this.#around.transmit(draft);
      this.#backoff.reset();
      this.#done(key);
      resolve(place);
    } catch (error) {
      if (!(error instanceof RequestError) || !this.#isTemporary(error)) {
        this.#done(key);
        reject(error);
      }
    } finally {
      this.#underWay.delete(key);
      this.#next();
    }
  }

  #done(key: string): void {
    const waiting = this.#waiting.get(key);
    waiting?.shift();
    if (waiting?.length === 0) this.#waiting.delete(key);
  }

  /** Whether to send it again: with the next connection, or when the server may accept it. */
  #isTemporary(error: RequestError): boolean {
    if (error.code === 'disconnected') return true;
    if (!error.isRetryable) return false;
    this.#pause ??= setTimeout(
      () => {
        this.#pause = undefined;
        this.#next();
      },
      (error.retryAfter ?? 0) * 1000 + this.#backoff.next(),
    );
    return true;
  }
}
