import { Cluster, Command } from 'ioredis';
import { type LinkEvents, REDIS_OPTIONS, type RedisLink, retryDelay } from './redisLink.ts';

/** A server that answers nothing for so long is taken for dead, in milliseconds: a process that was busy itself must not be misled. */
const SILENCE = 5_000;

interface Server {
  host: string;
  port: number;
}

/**
 * Connects to a Redis Cluster, with the server at `url` as the first of it: sharded channels, which load one server each.
 *
 * Subscriptions have connections of their own to each server. When one of them fails all are made anew: what the library keeps over
 * reconnections grows with each of them, and it does not tell when it has subscribed again. Connections for commands are renewed by the
 * library, each by itself, when they end or answer nothing.
 */
export function linkToCluster(url: string, events: LinkEvents): RedisLink {
  const known = new Map<string, Server>();
  const commands = connect(url, known, { shardedSubscribers: false });
  commands.on('error', (error) => events.failed(error.message));
  let subscriptions = subscribeTo(url, known, events);
  let isReconnecting = false;

  async function reconnect(channels: string[]): Promise<void> {
    if (isReconnecting) return;
    isReconnecting = true;
    try {
      // While one of the servers is silent, the others are not to be left for it.
      await Promise.all(channels.map((channel) => commands.exists(channel)));
      events.failed('the connections are made anew');
      subscriptions.removeAllListeners().on('error', () => {});
      subscriptions.disconnect();
      subscriptions = subscribeTo(url, known, events);
    } catch {
      // It is called again.
    } finally {
      isReconnecting = false;
    }
  }

  return {
    commands,
    serverOf: (channel) => serverOf(channel, subscriptions),
    publish: (channel, payload) => commands.spublish(channel, payload).then(Number),
    subscribe: (channels) => Promise.all(channels.map((channel) => subscriptions.ssubscribe(channel))),
    unsubscribe: (channel) => subscriptions.sunsubscribe(channel),
    reconnect: (channels) => void reconnect(channels),
    close: () => {
      for (const cluster of [commands, subscriptions]) cluster.disconnect();
    },
  };
}

function subscribeTo(url: string, known: Map<string, Server>, events: LinkEvents): Cluster {
  const cluster = connect(url, known, { shardedSubscribers: true });
  cluster.on('ready', () => events.opened());
  cluster.on('smessage', (channel: string, payload: string) => events.received(channel, payload));
  cluster.on('error', (error) => events.failed(error.message));
  for (const event of ['close', '-node', 'nodeError', 'subscriberConnectFailed'])
    cluster.on(event, () => events.failed('a server of the cluster was lost'));
  return cluster;
}

/** The server that has the channel, as far as the connections know. */
function serverOf(channel: string, { slots }: Cluster): string | undefined {
  return slots[new Command('spublish', [channel]).getSlot() ?? 0]?.[0];
}

/** Any server of the cluster can tell of the others: those that were seen once are asked too. */
function connect(url: string, known: Map<string, Server>, { shardedSubscribers }: { shardedSubscribers: boolean }): Cluster {
  const { hostname, port, username, password, protocol } = new URL(url);
  const first = { host: hostname, port: Number(port || 6379) };
  const cluster: Cluster = new Cluster([first, ...known.values()], {
    shardedSubscribers,
    enableOfflineQueue: false,
    // A command that failed is not run again: it may have been run before.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    clusterRetryStrategy: (attempt) => {
      // The documented way to name other servers, but not part of the types.
      Reflect.set(cluster, 'startupNodes', [first, ...known.values()]);
      return retryDelay(attempt);
    },
    redisOptions: {
      connectTimeout: REDIS_OPTIONS.connectTimeout,
      socketTimeout: SILENCE,
      maxRetriesPerRequest: 0,
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} }),
    },
  });
  cluster.on('+node', ({ options: { host, port } }: { options: { host?: string; port?: number } }) => {
    if (host && port) known.set(`${host}:${port}`, { host, port });
  });
  return cluster;
}
