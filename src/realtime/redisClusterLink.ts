import { Cluster } from 'ioredis';
import { type LinkEvents, REDIS_OPTIONS, type RedisLink, retryDelay } from './redisLink.ts';

interface Server {
  host: string;
  port: number;
}

/**
 * Connects to a Redis Cluster, with the server at `url` as the first of it: sharded channels, which load one server each.
 *
 * Subscriptions have connections of their own to each server. When one of them fails all are made anew: what the library keeps over
 * reconnections grows with each of them, and it does not tell when it has subscribed again.
 */
export function linkToCluster(url: string, events: LinkEvents): RedisLink {
  const known = new Map<string, Server>();
  const commands = connect(url, known, { shardedSubscribers: false });
  commands.on('error', (error) => events.failed(error.message));
  let subscriptions = subscribeTo(url, known, events);
  return {
    commands,
    publish: (channel, payload) => commands.spublish(channel, payload).then(Number),
    subscribe: (channels) => Promise.all(channels.map((channel) => subscriptions.ssubscribe(channel))),
    unsubscribe: (channel) => subscriptions.sunsubscribe(channel),
    reconnect: () => {
      subscriptions.removeAllListeners().on('error', () => {});
      subscriptions.disconnect();
      subscriptions = subscribeTo(url, known, events);
    },
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
