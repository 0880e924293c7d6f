import { within } from '../lib/within.ts';
import type { Metrics } from '../metrics.ts';
import type { Bus } from './bus.ts';
import { deliver } from './deliver.ts';
import { textFrame } from './frame.ts';
import type { TopicIndex } from './topicIndex.ts';
import { ownTopic, userTopic } from './topics.ts';

/** How long who asks for it waits until the others are told, in milliseconds. */
const PATIENCE = 1_000;

interface OwnMessagesOptions {
  bus: Bus;
  topics: TopicIndex;
  metrics: Metrics;
}

/**
 * What a user does on one connection, for those of the user's other connections that asked for it.
 *
 * Most people have one device: to publish all of that would be half of what the bus carries. So a process publishes once to find that no
 * other process wants it, and then no more until one says so on the user's topic, or until nobody knows any more.
 */
export class OwnMessages {
  readonly #options: OwnMessagesOptions;
  /** Users of whom no other process wants it. */
  readonly #unwanted = new Set<string>();
  /** What was published last to find that out; an answer to anything else comes too late. */
  readonly #asked = new Map<string, Promise<unknown>>();

  constructor(options: OwnMessagesOptions) {
    this.#options = options;
  }

  /** Sends a broadcast to those connections of the user but one; `text` is made only when anybody may hear it. */
  publish(userId: string, exceptConnectionId: string | undefined, text: () => string): void {
    const { bus, topics, metrics } = this.#options;
    const topic = ownTopic(userId);
    const isHeardHere = topics.has(topic);
    const isWanted = bus.isShared && !this.#unwanted.has(userId);
    if (isWanted) this.#learn(userId, bus.publish(topic, { kind: 'broadcast', exceptConnectionId }, text()));
    else if (isHeardHere) deliver(metrics, topics.subscribersOf(topic), textFrame(text()), { exceptConnectionId });
  }

  /** A connection of this process asked for it: whoever held it back is to publish again. Resolves when they were told, or soon when they cannot be. */
  async want(userId: string): Promise<void> {
    const { bus } = this.#options;
    if (bus.isShared) await within(PATIENCE, bus.publish(userTopic(userId), { kind: 'ownWanted', userId }));
  }

  /** A process wants it, or this one cannot know any more. Returns whether something may have been held back. */
  forget(userId: string): boolean {
    this.#asked.delete(userId);
    return this.#unwanted.delete(userId);
  }

  forgetAll(): void {
    this.#asked.clear();
    this.#unwanted.clear();
  }

  /** Takes note when nobody got it but this process, which hears of it when that changes while the user is connected to it. */
  #learn(userId: string, receivers: Promise<number | undefined>): void {
    const { topics } = this.#options;
    const topic = ownTopic(userId);
    const isHeardHere = topics.has(topic);
    if (topics.subscribersOf(userTopic(userId)).size === 0 || (isHeardHere && !topics.isReady(topic))) return;
    this.#asked.set(userId, receivers);
    void receivers.then((count) => {
      if (this.#asked.get(userId) !== receivers) return;
      this.#asked.delete(userId);
      if (count === Number(isHeardHere)) this.#unwanted.add(userId);
    });
  }
}
