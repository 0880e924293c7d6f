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
    const added = userIds.filter((userId) => !this.#userIds.has(userId));
    for (const userId of added) this.#userIds.add(userId);
    if (!this.#isConnected) return;
    try {
      await this.#around.subscribe();
      for (const chunk of chunksOf(userIds)) await this.#ask(chunk);
    } catch (error) {
      if (error instanceof RequestError && error.code === 'disconnected') return;
      for (const userId of added) this.#userIds.delete(userId);
      throw error;
    }
  }

  async unwatch(userIds: string[]): Promise<void> {
    for (const userId of userIds) this.#userIds.delete(userId);
    if (!this.#isConnected) return;
    for (const chunk of chunksOf(userIds)) await this.#around.unwatch(chunk);
  }

  /** A connection has begun, and its events are subscribed. */
  start(): void {
    this.#isConnected = true;
    this.#askForAll().then(() => this.#backoff.reset(), this.#tryAgain);
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

  async #askForAll(): Promise<void> {
    for (const chunk of chunksOf([...this.#userIds])) await this.#askAllowed(chunk);
  }

  /** With whom no chat is shared any more is told of, and left out from now on. */
  async #askAllowed(userIds: string[]): Promise<void> {
    try {
      if (userIds.length > 0) await this.#ask(userIds);
    } catch (error) {
      const strangers = error instanceof RequestError ? strangersOf(error, userIds) : [];
      if (strangers.length === 0) throw error;
      for (const stranger of strangers) this.#userIds.delete(stranger);
      this.#around.failed(new RequestError('no_shared_chat', `You share no chat any more with ${strangers.join(', ')}`));
      await this.#askAllowed(userIds.filter((userId) => this.#userIds.has(userId)));
    }
  }

  async #ask(userIds: string[]): Promise<void> {
    for (const status of await this.#around.watch(userIds)) this.#around.tell(status);
  }
}

/** Those that the server names as the reason of its refusal. */
function strangersOf({ code, issues }: RequestError, userIds: string[]): string[] {
  if (code !== 'no_shared_chat') return [];
  return userIds.filter((_, index) => issues.some(({ path }) => path === `userIds.${index}`));
}

/** As many at a time as one request may name. */
function chunksOf(userIds: string[]): string[][] {
  const count = Math.ceil(userIds.length / MAX_IDS);
  return Array.from({ length: count }, (_, index) => userIds.slice(index * MAX_IDS, (index + 1) * MAX_IDS));
}
