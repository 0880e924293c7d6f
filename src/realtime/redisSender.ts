import type { Metrics } from '../metrics.ts';
import { channelOf, type RedisServers } from './redisChannels.ts';
import type { RedisLink } from './redisLink.ts';

/** Characters of messages that may wait for a slow server of Redis; more are lost. */
const MAX_WAITING_LENGTH = 16 * 1024 * 1024;
/** Topics whose lost messages are remembered one by one; beyond them all are said to have lost some. */
const MAX_LOST_TOPICS = 1_000;

interface RedisSenderOptions {
  link: RedisLink;
  servers: RedisServers;
  metrics: Metrics;
}

/** Sends messages to Redis, and remembers on which topics it may have lost some. */
export class RedisSender {
  readonly #link: RedisLink;
  readonly #servers: RedisServers;
  readonly #metrics: Metrics;
  /** Characters that wait for each server. */
  readonly #waiting = new Map<string | undefined, number>();
  #lostTopics = new Set<string>();

  constructor({ link, servers, metrics }: RedisSenderOptions) {
    this.#link = link;
    this.#servers = servers;
    this.#metrics = metrics;
  }

  /** Resolves with the number of processes that it was handed to; with undefined when it may be lost. Never rejects. */
  async send(topic: string, payload: string): Promise<number | undefined> {
    const server = this.#servers.of(topic);
    const waiting = (this.#waiting.get(server) ?? 0) + payload.length;
    if (waiting > MAX_WAITING_LENGTH) return this.#lose(topic);
    this.#waiting.set(server, waiting);
    try {
      const receivers = await this.#link.publish(channelOf(topic), payload);
      this.#metrics.busPublished.inc();
      return receivers;
    } catch {
      return this.#lose(topic);
    } finally {
      this.#waiting.set(server, (this.#waiting.get(server) ?? 0) - payload.length);
    }
  }

  /** The topics on which something may have been lost since it was asked last; 'all' when they are more than it remembers. */
  takeLostTopics(): Iterable<string> | 'all' {
    const topics = this.#lostTopics;
    if (topics.size > 0) this.#lostTopics = new Set();
    return topics.size > MAX_LOST_TOPICS ? 'all' : topics;
  }

  #lose(topic: string): undefined {
    this.#metrics.busLost.inc();
    if (this.#lostTopics.size <= MAX_LOST_TOPICS) this.#lostTopics.add(topic);
  }
}
