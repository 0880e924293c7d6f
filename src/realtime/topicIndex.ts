import type { Bus } from './bus.ts';
import type { Subscriber } from './subscriber.ts';

interface Topic {
  subscribers: Set<Subscriber>;
  /** How many hear it without a connection in it. */
  listeners: number;
  /** Resolves when the topic receives what other processes publish. */
  ready: Promise<void>;
  isReady: boolean;
}

const NOBODY: ReadonlySet<Subscriber> = new Set();

/**
 * Which connections of this process are in which topic. It is subscribed on the bus to those with a connection or a listener, from the
 * first to the last one.
 */
export class TopicIndex {
  readonly #topics = new Map<string, Topic>();
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  get size(): number {
    return this.#topics.size;
  }

  names(): Iterable<string> {
    return this.#topics.keys();
  }

  has(name: string): boolean {
    return this.#topics.has(name);
  }

  /** The connections in a topic, as they are at every moment. */
  subscribersOf(name: string): ReadonlySet<Subscriber> {
    return this.#topics.get(name)?.subscribers ?? NOBODY;
  }

  /** Puts a connection into a topic. Resolves when it receives what other processes publish there, or soon while the bus is away; never rejects. */
  join(subscriber: Subscriber, name: string): Promise<void> {
    const topic = this.#topics.get(name) ?? this.#open(name);
    topic.subscribers.add(subscriber);
    subscriber.topics.add(name);
    return topic.ready;
  }

  /** Whether it receives already what other processes publish. */
  isReady(name: string): boolean {
    return this.#topics.get(name)?.isReady ?? false;
  }

  leave(subscriber: Subscriber, name: string): void {
    const topic = this.#topics.get(name);
    subscriber.topics.delete(name);
    if (topic?.subscribers.delete(subscriber)) this.#closeUnused(name, topic);
  }

  /** Hears a topic, whether a connection is in it or not, until `ignore` is called as often. */
  listen(name: string): void {
    const topic = this.#topics.get(name) ?? this.#open(name);
    topic.listeners++;
  }

  ignore(name: string): void {
    const topic = this.#topics.get(name);
    if (!topic) return;
    topic.listeners--;
    this.#closeUnused(name, topic);
  }

  #open(name: string): Topic {
    const topic: Topic = { subscribers: new Set(), listeners: 0, ready: this.#bus.subscribe(name), isReady: !this.#bus.isShared };
    this.#topics.set(name, topic);
    if (!topic.isReady) {
      void topic.ready.then(() => {
        topic.isReady = true;
      });
    }
    return topic;
  }

  #closeUnused(name: string, { subscribers, listeners }: Topic): void {
    if (subscribers.size > 0 || listeners > 0) return;
    this.#topics.delete(name);
    this.#bus.unsubscribe(name);
  }
}
