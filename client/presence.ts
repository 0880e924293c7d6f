import { Backoff } from './backoff.ts';
import { RequestError } from './requestError.ts';
import type { Timings } from './timings.ts';
import type { UserStatus } from './wire.ts';

const MAX_IDS = 200;

interface Surroundings {
  timings: Timings;
  subscribe(): Promise<unknown>;
  watch(userIds: string[]): Promise<UserStatus[]>;
  unwatch(userIds: string[]): Promise<unknown>;
  tell(status: UserStatus): void;
  failed(error: RequestError): void;
}

/** Whose presence the application wants to know of, on every connection anew. */
export class Presence {
  readonly #around: Surroundings;
  readonly #backoff: Backoff;
  readonly #userIds = new Set<string>();
  #isConnected = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(surroundings: Surroundings) {
    const { timings } = surroundings;
    this.#around = surroundings;
    this.#backoff = new Backoff(timings.firstWait, timings.longestWait);
  }

  /** Whether the events are needed. */
  get isWatching(): boolean {
    return this.#userIds.size > 0;
  }

  /** Tells of these users now, and whenever it changes. Without a connection, as soon as there is one. */
  async watch(userIds: string[]): Promise<void> {
    for (const userId of userIds) this.#userIds.add(userId);
    if (!this.#isConnected) return;
    try {
      await this.#around.subscribe();
      await this.#ask(userIds);
    } catch (error) {
      if (error instanceof RequestError && error.code === 'disconnected') return;
      for (const userId of userIds) this.#userIds.delete(userId);
      throw error;
    }
  }

  async unwatch(userIds: string[]): Promise<void> {
    for (const userId of userIds) this.#userIds.delete(userId);
    if (this.#isConnected) await this.#around.unwatch(userIds);
  }

  /** A connection has begun, and its events are subscribed. */
  start(): void {
    this.#isConnected = true;
    this.#ask([...this.#userIds]).then(() => this.#backoff.reset(), this.#tryAgain);
  }

  /** The connection is gone. */
  stop(): void {
    this.#isConnected = false;
    this.#backoff.reset();
    clearTimeout(this.#retryTimer);
  }

  readonly #tryAgain = (error: unknown): void => {
    if (!(error instanceof RequestError)) throw error;
    if (!this.#isConnected) return;
    if (!error.isRetryable) this.#around.failed(error);
    else this.#retryTimer = setTimeout(() => this.start(), (error.retryAfter ?? 0) * 1000 + this.#backoff.next());
  };

  async #ask(userIds: string[]): Promise<void> {
    for (let index = 0; index < userIds.length; index += MAX_IDS) {
      for (const status of await this.#around.watch(userIds.slice(index, index + MAX_IDS))) this.#around.tell(status);
    }
  }
}
