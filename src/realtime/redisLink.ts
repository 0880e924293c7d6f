import type { Cluster, Redis, RedisOptions } from 'ioredis';

/** How long to wait for a connection to Redis, in milliseconds. */
const CONNECT_TIMEOUT = 2_000;
/** Longest wait before it is tried again, in milliseconds. */
const MAX_RETRY_DELAY = 1_000;

/** What a bus needs of Redis, whether it is one server or a cluster. */
export interface RedisLink {
  /** Runs commands that are no subscriptions. They fail at once while there is no connection. */
  readonly commands: Redis | Cluster;
  /** Resolves with how many received it. */
  publish(channel: string, payload: string): Promise<number>;
  subscribe(channels: string[]): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** Which server has the channel: each may fail while the others serve. */
  serverOf(channel: string): string | undefined;
  /**
   * Gives up the connections it has, which do not answer, and makes new ones; but not before the servers that have these channels answer,
   * where others serve meanwhile: to be called again until `opened`.
   */
  reconnect(channels: string[]): void;
  close(): void;
}

export interface LinkEvents {
  /** There is a new connection for subscriptions: nothing is subscribed to on it. */
  opened(): void;
  received(channel: string, payload: string): void;
  /** Messages may be lost, until the next `opened`. */
  failed(reason: string): void;
}

/** Nothing is tried twice or kept for later: a message that is published late or again is worse than one that is lost. */
export const REDIS_OPTIONS = {
  connectTimeout: CONNECT_TIMEOUT,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  retryStrategy: retryDelay,
} satisfies RedisOptions;

/** How long to wait before another attempt, in milliseconds: more each time, and not the same for all processes. */
export function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** attempt, MAX_RETRY_DELAY) * (0.5 + Math.random() / 2);
}
