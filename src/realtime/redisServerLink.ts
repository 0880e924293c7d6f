import { Redis } from 'ioredis';
import { type LinkEvents, REDIS_OPTIONS, type RedisLink } from './redisLink.ts';

/** Connects to one server: publishing and subscribing each have a connection. */
export function linkToServer(url: string, events: LinkEvents): RedisLink {
  const publisher = new Redis(url, REDIS_OPTIONS);
  const subscriber = new Redis(url, REDIS_OPTIONS);
  for (const connection of [publisher, subscriber]) connection.on('error', (error) => events.failed(error.message));
  subscriber.on('ready', () => events.opened());
  subscriber.on('close', () => events.failed('the connection was closed'));
  subscriber.on('message', (channel, payload) => events.received(channel, payload));
  return {
    commands: publisher,
    serverOf: () => undefined,
    publish: (channel, payload) => publisher.publish(channel, payload),
    subscribe: (channels) => subscriber.subscribe(...channels),
    unsubscribe: (channel) => subscriber.unsubscribe(channel),
    reconnect: () => {
      for (const connection of [publisher, subscriber]) connection.disconnect(true);
    },
    close: () => {
      for (const connection of [publisher, subscriber]) connection.disconnect();
    },
  };
}
