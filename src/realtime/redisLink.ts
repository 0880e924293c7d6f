import { Cluster, Redis, type RedisOptions } from 'ioredis';

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
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  /** Gives up the connections it has, which do not answer, and makes new ones. */
  reconnect(): void;
  close(): void;
}

export interface LinkEvents {
  /** There is a new connection for subscriptions: nothing is subscribed to on it. */
  opened(): void;
  received(channel: string, payload: string): void;
  failed(reason: string): void;
}

/** Nothing is tried twice or kept for later: a message that is published late or again is worse than one that is lost. */
const OPTIONS = {
  connectTimeout: CONNECT_TIMEOUT,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  retryStrategy: retryDelay,
} satisfies RedisOptions;

function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** attempt, MAX_RETRY_DELAY) * (0.5 + Math.random() / 2);
}

/** How to connect to the Redis at `url`. */
export const linkTo =
  (url: string, isCluster: boolean) =>
  (events: LinkEvents): RedisLink =>
    isCluster ? linkToCluster(url, events) : linkToServer(url, events);

/** Connects to one server: publishing and subscribing each have a connection. */
function linkToServer(url: string, events: LinkEvents): RedisLink {
  const publisher = new Redis(url, OPTIONS);
  const subscriber = new Redis(url, OPTIONS);
  for (const connection of [publisher, subscriber]) connection.on('error', (error) => events.failed(error.message));
  subscriber.on('ready', () => events.opened());
  subscriber.on('close', () => events.failed('the connection was closed'));
  subscriber.on('message', (channel, payload) => events.received(channel, payload));
  return {
    commands: publisher,
    publish: (channel, payload) => publisher.publish(channel, payload),
    subscribe: (channel) => subscriber.subscribe(channel),
    unsubscribe: (channel) => subscriber.unsubscribe(channel),
    reconnect: () => {
      for (const connection of [publisher, subscriber]) connection.disconnect(true);
    },
    close: () => {
      for (const connection of [publisher, subscriber]) connection.disconnect();
    },
  };
}

/** Connects to a Redis Cluster, with the server at `url` as the first of it: sharded channels, which load one server each. */
function linkToCluster(url: string, events: LinkEvents): RedisLink {
  const { hostname, port, username, password, protocol } = new URL(url);
  const cluster = new Cluster([{ host: hostname, port: Number(port || 6379) }], {
    shardedSubscribers: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: retryDelay,
    redisOptions: {
      connectTimeout: CONNECT_TIMEOUT,
      maxRetriesPerRequest: 0,
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    },
  });
  cluster.on('error', (error) => events.failed(error.message));
  cluster.on('close', () => events.failed('the connections were closed'));
  cluster.on('ready', () => events.opened());
  // It subscribes to what was subscribed to on a server that it lost.
  cluster.on('subscribersReady', () => events.opened());
  cluster.on('smessage', (channel: string, payload: string) => events.received(channel, payload));
  return {
    commands: cluster,
    publish: (channel, payload) => cluster.spublish(channel, payload).then(Number),
    subscribe: (channel) => cluster.ssubscribe(channel),
    unsubscribe: (channel) => cluster.sunsubscribe(channel),
    reconnect: () => cluster.disconnect(true),
    close: () => cluster.disconnect(),
  };
}
