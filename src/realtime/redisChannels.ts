import type { RedisLink } from './redisLink.ts';

/** Channels of Redis begin so. What follows decides which server of a cluster has it: 256 kinds are spread well and cheap to keep. */
export const channelOf = (topic: string): string => `messenger:{${kindOf(topic)}}:${topic}`;
export const topicOf = (channel: string): string => channel.slice('messenger:{xx}:'.length);
const kindOf = (topic: string): string => topic.slice(-2);
const KINDS = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));

/** Which server has the channel of a topic, as it was when the connections were made. */
export class RedisServers {
  /** By kind. */
  readonly #servers = new Map<string, string | undefined>();

  of(topic: string): string | undefined {
    return this.#servers.get(kindOf(topic));
  }

  /** Finds out anew which servers there are. Returns a topic on each, whose name begins with `prefix`. */
  update(link: RedisLink, prefix: string): string[] {
    const topics = new Map<string | undefined, string>();
    for (const kind of KINDS) {
      const topic = `${prefix}:${kind}`;
      const server = link.serverOf(channelOf(topic));
      this.#servers.set(kind, server);
      topics.set(server, topic);
    }
    return [...topics.values()];
  }
}
