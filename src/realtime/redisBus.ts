import { randomUUID } from 'node:crypto';
import type { Logger } from '../lib/logger.ts';
import { within } from '../lib/within.ts';
import type { Metrics } from '../metrics.ts';
import { type Bus, type BusListener, type BusMessage, busMessage } from './bus.ts';
import type { LinkEvents, RedisLink } from './redisLink.ts';

/** How long anything waits for Redis, in milliseconds; then it goes on without. */
const PATIENCE = 1_000;
/** How long a start waits for Redis, in milliseconds. */
const START_PATIENCE = 2_000;
/** How often a message is sent to oneself, to see that messages arrive, in milliseconds. */
const PROBE_INTERVAL = 1_000;
/** How many of them may be lost in a row before the connections are given up. */
const MAX_LOST_PROBES = 3;

/** Channels of Redis begin so. What follows decides which server of a cluster has it: 256 kinds are spread well and cheap to keep. */
const channelOf = (topic: string): string => `messenger:{${topic.slice(-2)}}:${topic}`;
const topicOf = (channel: string): string => channel.slice('messenger:{xx}:'.length);

/** All processes listen here for one that could not publish for a while. */
const LOSSES = 'losses';

/**
 * The bus of several processes: publish and subscribe of Redis. Each process sends itself a probe every second, through the connections
 * that messages take: while none comes back, the bus is away, nothing waits for it, and the connections are made anew.
 */
export class RedisBus implements Bus {
  readonly isShared = true;
  readonly #processId = randomUUID();
  readonly #link: RedisLink;
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #subscribed = new Set<string>();
  readonly #probeTopic = `probe:${this.#processId}`;
  #listener: BusListener | undefined;
  #prober: NodeJS.Timeout | undefined;
  #lostProbes = 0;
  #isUp = false;
  /** Whether it was up once: what came before nobody has missed. */
  #wasUp = false;
  /** Whether something was published that may not have arrived. */
  #hasLost = false;
  #reason = 'not connected yet';
  #onUp: () => void = () => {};

  constructor(connect: (events: LinkEvents) => RedisLink, metrics: Metrics, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#link = connect({
      opened: () => void this.#resubscribe(),
      received: (channel, payload) => this.#received(topicOf(channel), payload),
      failed: (reason) => this.#down(reason),
    });
  }

  get failure(): string | undefined {
    return this.#isUp ? undefined : this.#reason;
  }

  /** Runs commands on the same Redis. */
  get commands(): RedisLink['commands'] {
    return this.#link.commands;
  }

  /** Names this process among those on this Redis. */
  get processId(): string {
    return this.#processId;
  }

  async start(listener: BusListener): Promise<void> {
    this.#listener = listener;
    const up = new Promise<void>((resolve) => {
      this.#onUp = resolve;
    });
    this.#prober = setInterval(() => this.#probe(), PROBE_INTERVAL).unref();
    await this.#resubscribe();
    await within(START_PATIENCE, up);
    if (!this.#isUp) this.#logger.warn({ reason: this.#reason }, 'Redis does not answer: this process works alone until it does');
  }

  async subscribe(topic: string): Promise<void> {
    this.#subscribed.add(topic);
    const subscribed = this.#link.subscribe(channelOf(topic)).catch(() => {});
    if (this.#isUp) await within(PATIENCE, subscribed);
  }

  unsubscribe(topic: string): void {
    this.#subscribed.delete(topic);
    this.#link.unsubscribe(channelOf(topic)).catch(() => {});
  }

  publish(topic: string, message: BusMessage, text = ''): void {
    if (this.#subscribed.has(topic)) this.#listener?.receive(topic, message, text);
    this.#send(topic, `${JSON.stringify(message)}\n${text}`);
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    clearInterval(this.#prober);
    this.#link.close();
  }

  #send(topic: string, payload: string): void {
    this.#link.publish(channelOf(topic), `${this.#processId}\n${payload}`).then(
      () => this.#metrics.busPublished.inc(),
      () => {
        this.#hasLost = true;
        this.#metrics.busLost.inc();
      },
    );
  }

  #received(topic: string, payload: string): void {
    if (payload.startsWith(this.#processId)) {
      if (topic === this.#probeTopic) this.#up();
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
    else this.#logger.error({ err: error, topic }, 'a message of another process could not be read: do all run the same version?');
  }

  #probe(): void {
    this.#lostProbes++;
    if (this.#lostProbes > MAX_LOST_PROBES) {
      this.#lostProbes = 0;
      this.#down('no message came back');
      this.#link.reconnect();
    }
    this.#link.publish(channelOf(this.#probeTopic), this.#processId).catch(() => {});
  }

  /** Subscribes to everything on a new connection. When all is subscribed, the probe finds the way. */
  async #resubscribe(): Promise<void> {
    const topics = [...this.#subscribed, LOSSES];
    try {
      await Promise.all(topics.map((topic) => this.#link.subscribe(channelOf(topic))));
      await this.#link.subscribe(channelOf(this.#probeTopic));
      this.#probe();
    } catch {
      // The connection ended meanwhile: the next one begins anew.
    }
  }

  #up(): void {
    this.#lostProbes = 0;
    const wasDown = !this.#isUp;
    this.#isUp = true;
    this.#onUp();
    if (wasDown && this.#wasUp) {
      this.#logger.info('Redis answers again');
      this.#listener?.restored();
    }
    this.#wasUp = true;
    if (this.#hasLost) this.#send(LOSSES, '');
    this.#hasLost = false;
  }

  #down(reason: string): void {
    this.#reason = reason;
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#logger.warn({ reason }, 'Redis does not answer: this process works alone until it does');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
