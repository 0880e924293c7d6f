import { randomUUID } from 'node:crypto';
import type { Logger } from '../lib/logger.ts';
import { LogThrottle } from '../lib/logThrottle.ts';
import { within } from '../lib/within.ts';
import type { Metrics } from '../metrics.ts';
import { type Bus, type BusListener, type BusMessage, busMessage } from './bus.ts';
import { Probe } from './probe.ts';
import { channelOf, RedisServers, topicOf } from './redisChannels.ts';
import { linkToCluster } from './redisClusterLink.ts';
import type { RedisLink } from './redisLink.ts';
import { RedisSender } from './redisSender.ts';
import { linkToServer } from './redisServerLink.ts';

/** How long anything waits for Redis, in milliseconds; then it goes on without. */
const PATIENCE = 1_000;
/** How long a start waits for Redis, in milliseconds. */
const START_PATIENCE = 2_000;
/** Topics that are subscribed to in one step after a loss. */
const SUBSCRIPTIONS_AT_ONCE = 1_000;
/** All processes listen here for one that lost more than it remembers. */
const LOSSES = 'losses';

/**
 * The bus of several processes: publish and subscribe of Redis. Each process sends itself a probe every second, through each server that
 * messages take: while one does not come back in time, the bus is away, nothing waits for it, and connections are made anew. What goes
 * through the other servers arrives all the same.
 */
export class RedisBus implements Bus {
  readonly isShared = true;
  /** Names this process among those on this Redis. */
  readonly processId = randomUUID();
  readonly #link: RedisLink;
  readonly #servers = new RedisServers();
  readonly #sender: RedisSender;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #subscribed = new Set<string>();
  readonly #probe: Probe;
  readonly #unreadable = new LogThrottle({ count: 10, interval: 10_000 });
  #listener: BusListener | undefined;
  #isUp = false;
  /** Counts the connections that there were for subscriptions: what belongs to a former one is over. */
  #connections = 0;
  /** Whether the listener worked while the bus was away. */
  #hasMissed = false;
  /** Servers that did not answer a subscription in time: nobody waits for another one there until they do. */
  readonly #slow = new Set<string | undefined>();
  /** One on each server. */
  #probeTopics: string[] = [];
  #reason = 'not connected yet';
  #onUp: () => void = () => {};

  /** Connects to the Redis at `url`, or to the Redis Cluster that it is one server of. */
  constructor({ url, isCluster }: { url: string; isCluster: boolean }, metrics: Metrics, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#probe = new Probe({
      send: (payload) => {
        for (const topic of this.#probeTopics) this.#link.publish(channelOf(topic), `${this.processId}\n${payload}`).catch(() => {});
      },
      returned: () => this.#up(),
      lost: () => {
        this.#down('no message came back in time');
        this.#link.reconnect(this.#probeTopics.map(channelOf));
      },
    });
    const connect = isCluster ? linkToCluster : linkToServer;
    this.#link = connect(url, {
      opened: () => void this.#resubscribe(),
      received: (channel, payload) => this.#received(topicOf(channel), payload),
      failed: (reason) => this.#down(reason),
    });
    this.#sender = new RedisSender({ link: this.#link, servers: this.#servers, metrics });
  }

  get failure(): string | undefined {
    return this.#isUp ? undefined : this.#reason;
  }

  /** Runs commands on the same Redis. */
  get commands(): RedisLink['commands'] {
    return this.#link.commands;
  }

  async start(listener: BusListener): Promise<void> {
    this.#listener = listener;
    const up = new Promise<void>((resolve) => {
      this.#onUp = resolve;
    });
    this.#probe.start();
    await within(START_PATIENCE, this.#isUp ? Promise.resolve() : up);
    if (this.#isUp) return;
    this.#hasMissed = true;
    this.#logger.warn({ reason: this.#reason }, AWAY);
  }

  async subscribe(topic: string): Promise<void> {
    this.#subscribed.add(topic);
    const server = this.#servers.of(topic);
    const subscribed = this.#link.subscribe([channelOf(topic)]).then(
      () => {
        this.#slow.delete(server);
        return true;
      },
      () => false,
    );
    if (!this.#slow.has(server) && (await within(PATIENCE, subscribed)) !== undefined) return;
    this.#slow.add(server);
    // Whoever waited for it has gone on. When it does not succeed at all, or the bus is away, it is told of when the bus is back.
    void subscribed.then((isLate) => isLate && this.#isUp && this.#listener?.lost());
  }

  unsubscribe(topic: string): void {
    this.#subscribed.delete(topic);
    this.#link.unsubscribe(channelOf(topic)).catch(() => {});
  }

  publish(topic: string, message: BusMessage, text = ''): Promise<number | undefined> {
    if (this.#subscribed.has(topic)) this.#listener?.receive(topic, message, text);
    return this.#sender.send(topic, `${this.processId}\n${JSON.stringify(message)}\n${text}`);
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#isUp = false;
    this.#probe.stop();
    this.#link.close();
  }

  #received(topic: string, payload: string): void {
    if (payload.startsWith(this.processId)) {
      this.#probe.received(topic, payload);
      return;
    }
    this.#metrics.busReceived.inc();
    if (topic === LOSSES) {
      this.#listener?.lost();
      return;
    }
    // Who unsubscribed may still receive for a moment.
    if (!this.#subscribed.has(topic)) return;
    const [, header = '', text = ''] = payload.split('\n', 3);
    const { success, data, error } = busMessage.safeParse(parsed(header));
    if (success) this.#listener?.receive(topic, data, text);
    else
      this.#unreadable.log((heldBack) =>
        this.#logger.error({ err: error, topic, ...heldBack }, 'a message of another process cannot be read: do all run the same version?'),
      );
  }

  /** Subscribes to everything on a new connection. Only then a probe says that the bus is there. */
  async #resubscribe(): Promise<void> {
    this.#connections += 1;
    const connection = this.#connections;
    this.#slow.clear();
    this.#probeTopics = this.#servers.update(this.#link, `probe:${this.processId}`);
    const own = new Set([...this.#probeTopics, LOSSES]);
    const topics = [...own, ...this.#subscribed];
    let isComplete = true;
    for (let begin = 0; begin < topics.length; begin += SUBSCRIPTIONS_AT_ONCE) {
      // What was unsubscribed meanwhile would stay subscribed.
      const wanted = topics.slice(begin, begin + SUBSCRIPTIONS_AT_ONCE).filter((topic) => own.has(topic) || this.#subscribed.has(topic));
      if (wanted.length === 0) continue;
      try {
        await this.#link.subscribe(wanted.map(channelOf));
        this.#probe.wait();
      } catch {
        // A server was lost meanwhile: the next connection begins anew. Until then the others serve.
        isComplete = false;
      }
      if (connection !== this.#connections) return;
    }
    if (isComplete) this.#probe.begin(this.#probeTopics);
  }

  #up(): void {
    if (!this.#isUp) {
      this.#isUp = true;
      this.#onUp();
      if (this.#hasMissed) {
        this.#logger.info('Redis answers again');
        this.#listener?.restored();
      }
      this.#hasMissed = false;
    }
    this.#tellLosses();
  }

  #tellLosses(): void {
    const topics = this.#sender.takeLostTopics();
    if (topics === 'all') void this.#sender.send(LOSSES, `${this.processId}\n`);
    else for (const topic of topics) void this.publish(topic, { kind: 'loss' });
  }

  #down(reason: string): void {
    this.#reason = reason;
    this.#probe.end();
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#hasMissed = true;
    this.#logger.warn({ reason }, AWAY);
  }
}

const AWAY = 'Redis does not answer, or a server of it: what goes through it stays in this process until it does';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
