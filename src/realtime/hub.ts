import type { Metrics } from '../metrics.ts';
import { type Frame, textFrame } from './frame.ts';

/** A connection, as the hub sees it. */
export interface Subscriber {
  readonly userId: string;
  readonly sessionId: string;
  /** The topics it is in; the hub's to change. */
  readonly topics: Set<string>;
  /** Groups the user left while the connection was being opened; the hub's to change. */
  leftGroups: Set<string> | undefined;
  /** Takes a frame for the client. Must neither throw nor wait. */
  deliver(frame: Frame): void;
  /** The session is no longer valid. */
  revoke(): void;
  /** The client is to connect again: what it may receive is to be read anew. */
  reconnect(): void;
}

export const userTopic = (userId: string): string => `user:${userId}`;
export const groupTopic = (groupId: string): string => `group:${groupId}`;

/**
 * Who is connected, and what reaches whom: topic → connections. A user's connections are in the user's topic and in those of
 * the user's groups.
 *
 * A connection is added before its groups are read from the database: what changes meanwhile reaches it here, so nothing that
 * happens between the reading and the opening is missed.
 */
export class Hub {
  readonly #topics = new Map<string, Set<Subscriber>>();
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Adds a connection that is being opened. Follow with `open` or `remove`. */
  add(subscriber: Subscriber): void {
    subscriber.leftGroups = new Set();
    this.#join(subscriber, userTopic(subscriber.userId));
  }

  /** Joins the groups that were read for the connection, save those the user has left since. */
  open(subscriber: Subscriber, groupIds: string[]): void {
    for (const groupId of groupIds) {
      if (!subscriber.leftGroups?.has(groupId)) this.#join(subscriber, groupTopic(groupId));
    }
    subscriber.leftGroups = undefined;
  }

  remove(subscriber: Subscriber): void {
    for (const topic of subscriber.topics) this.#leave(subscriber, topic);
  }

  /** How many connections of the user are open or being opened. */
  connectionsOf(userId: string): number {
    return this.#topics.get(userTopic(userId))?.size ?? 0;
  }

  /** Sends a broadcast to a topic, encoded and framed once. Call it only after what it tells is committed. */
  publish(topic: string, type: string, item: object, exceptUserId?: string): void {
    const subscribers = this.#topics.get(topic);
    if (!subscribers) return;
    const frame = textFrame(JSON.stringify({ type, success: true, params: { item, data: null, isBroadcast: true } }));
    let count = 0;
    for (const subscriber of subscribers) {
      if (subscriber.userId === exceptUserId) continue;
      subscriber.deliver(frame);
      count++;
    }
    this.#metrics.deliveries.inc(count);
  }

  /** The user became a member: the user's connections receive what the group receives. */
  joinGroup(userId: string, groupId: string): void {
    for (const subscriber of this.#subscribers(userTopic(userId))) {
      subscriber.leftGroups?.delete(groupId);
      this.#join(subscriber, groupTopic(groupId));
    }
  }

  /** The user is no longer a member. */
  leaveGroup(userId: string, groupId: string): void {
    for (const subscriber of this.#subscribers(userTopic(userId))) {
      subscriber.leftGroups?.add(groupId);
      this.#leave(subscriber, groupTopic(groupId));
    }
  }

  /** Ends the user's connections, save those of the session `exceptSessionId`. */
  revoke(userId: string, exceptSessionId?: string): void {
    for (const subscriber of this.#subscribers(userTopic(userId))) {
      if (subscriber.sessionId !== exceptSessionId) subscriber.revoke();
    }
  }

  /** Closes the user's connections, so that the database decides anew which of them may go on, and what they receive. */
  reconnect(userId: string): void {
    for (const subscriber of this.#subscribers(userTopic(userId))) subscriber.reconnect();
  }

  #subscribers(topic: string): Subscriber[] {
    return [...(this.#topics.get(topic) ?? [])];
  }

  #join(subscriber: Subscriber, topic: string): void {
    const subscribers = this.#topics.get(topic);
    if (subscribers) subscribers.add(subscriber);
    else this.#topics.set(topic, new Set([subscriber]));
    subscriber.topics.add(topic);
  }

  #leave(subscriber: Subscriber, topic: string): void {
    const subscribers = this.#topics.get(topic);
    if (subscribers?.delete(subscriber) && subscribers.size === 0) this.#topics.delete(topic);
    subscriber.topics.delete(topic);
  }
}
