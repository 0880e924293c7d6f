import { EventEmitter } from 'node:events';
import type { Metrics } from '../metrics.ts';
import type { BroadcastItem, BroadcastType } from '../ws/broadcasts.ts';
import { broadcastFrame } from '../ws/envelope.ts';
import type { BusListener, BusMessage } from './bus.ts';
import { deliver } from './deliver.ts';
import { textFrame } from './frame.ts';
import { LatestChanges } from './latestChanges.ts';
import type { OptInEvent } from './optInEvents.ts';
import type { OwnMessages } from './ownMessages.ts';
import type { Publisher } from './publisher.ts';
import type { Subscriber } from './subscriber.ts';
import type { TopicIndex } from './topicIndex.ts';
import { groupIdOf, groupTopic, ownTopic, ownUserIdOf, userTopic } from './topics.ts';

interface HubEvents {
  /** Messages to these connections may have been lost, or to all. */
  loss: [subscribers?: Subscriber[]];
  /** These connections were put into a group, or out of one. */
  moved: [subscribers: Subscriber[]];
  /** This process is on the bus again. */
  restored: [];
  /** The status of a user may have changed. */
  status: [userId: string];
  /** Something that the user wrote, or that happened to them, is about to be told to the others in a topic that this process hears. */
  sent: [userId: string, topic: string];
  /** The user is not a member of the topic's group any more. */
  left: [userId: string, topic: string];
}

interface HubOptions {
  metrics: Metrics;
  topics: TopicIndex;
  own: OwnMessages;
  publisher: Publisher;
}

/**
 * Who is connected to this process, and what reaches whom: topic → connections. A user's connections are in the user's topic and in
 * those of the user's groups. The bus carries what is published to every process; changes of who is in a group, and the end of sessions,
 * travel on the user's topic.
 *
 * A connection is added before its groups are read from the database: what changes meanwhile reaches it here, so nothing that
 * happens between the reading and the opening is missed.
 */
export class Hub extends EventEmitter<HubEvents> implements BusListener {
  readonly #metrics: Metrics;
  readonly #topics: TopicIndex;
  readonly #own: OwnMessages;
  readonly #publisher: Publisher;
  /** Who is in which group, by the number of the message that tells of it: processes may publish changes in another order than they made them. */
  readonly #memberships = new LatestChanges();

  constructor({ metrics, topics, own, publisher }: HubOptions) {
    super();
    this.#metrics = metrics;
    this.#topics = topics;
    this.#own = own;
    this.#publisher = publisher;
  }

  /**
   * Adds a connection that is being opened. Read its groups when this has resolved, then call `open`, or `remove`.
   * Resolves late, or never hears of others, only while the bus is away; never rejects.
   */
  async add(subscriber: Subscriber): Promise<void> {
    this.beginReading(subscriber);
    await this.#topics.join(subscriber, userTopic(subscriber.userId));
  }

  /** From here on changes of the user's groups are kept, until `open`. */
  beginReading(subscriber: Subscriber): void {
    subscriber.groupChanges = new Map();
  }

  /**
   * Puts the connection into the groups that were read for it, changes since then included, and out of all others. Resolves as `add`,
   * with whether there was one that it was not in.
   */
  async open(subscriber: Subscriber, groupIds: string[]): Promise<boolean> {
    const wanted = new Set(groupIds.map(groupTopic));
    for (const [groupId, isMember] of subscriber.groupChanges ?? []) {
      if (isMember) wanted.add(groupTopic(groupId));
      else wanted.delete(groupTopic(groupId));
    }
    subscriber.groupChanges = undefined;
    for (const topic of subscriber.topics) if (groupIdOf(topic) && !wanted.has(topic)) this.#takeOut([subscriber], topic);
    const missing = [...wanted].filter((topic) => !subscriber.topics.has(topic));
    await Promise.all(missing.map((topic) => this.join(subscriber, topic)));
    return missing.length > 0;
  }

  remove(subscriber: Subscriber): void {
    for (const topic of subscriber.topics) this.leave(subscriber, topic);
    this.#own.forget(subscriber.userId);
  }

  /** Sets what the connection receives beyond what everybody does. Resolves as `add`. */
  async subscribe(subscriber: Subscriber, events: ReadonlySet<OptInEvent>): Promise<void> {
    subscriber.events = events;
    const topic = ownTopic(subscriber.userId);
    if (!events.has('ownMessages')) {
      this.leave(subscriber, topic);
      this.#own.forget(subscriber.userId);
      return;
    }
    await this.join(subscriber, topic);
    await this.#own.want(subscriber.userId);
  }

  /** How many connections of the user are open or being opened here. */
  connectionsOf(userId: string): number {
    return this.#topics.subscribersOf(userTopic(userId)).size;
  }

  /** Whether the connection was added, and not removed yet. */
  has(subscriber: Subscriber): boolean {
    return subscriber.topics.has(userTopic(subscriber.userId));
  }

  /** Whether this process hears the topic. */
  hasTopic(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** This process hears the topic, whether a connection of it is in it or not, until `ignore` is called as often. */
  listen(topic: string): void {
    this.#topics.listen(topic);
  }

  ignore(topic: string): void {
    this.#topics.ignore(topic);
  }

  /** The connections of this process in a topic. */
  subscribersOf(topic: string): Iterable<Subscriber> {
    return this.#topics.subscribersOf(topic);
  }

  /** Sends a broadcast to those of the connections that asked for the event of that name. */
  tell<Event extends BroadcastType & OptInEvent>(subscribers: Iterable<Subscriber>, event: Event, item: BroadcastItem<Event>): void {
    const asked = [...subscribers].filter(({ events }) => events.has(event));
    if (asked.length > 0) deliver(this.#metrics, asked, textFrame(broadcastFrame(event, item)));
  }

  receive(topic: string, message: BusMessage, text: string): void {
    if (message.kind === 'broadcast') for (const userId of message.exceptUserIds ?? []) this.emit('sent', userId, topic);
    // Nobody joins or leaves while a frame is handed out.
    if (message.kind === 'broadcast' || message.kind === 'event')
      deliver(this.#metrics, this.#topics.subscribersOf(topic), textFrame(text), message);
    else this.#change(topic, message, text);
  }

  restored(): void {
    for (const topic of this.#topics.names()) {
      const userId = ownUserIdOf(topic);
      if (userId) void this.#own.want(userId);
    }
    this.emit('restored');
    this.lost();
  }

  lost(): void {
    this.#own.forgetAll();
    this.emit('loss');
  }

  /** Puts a connection into a topic, unless it was removed already. Resolves as `add`. */
  async join(subscriber: Subscriber, topic: string): Promise<void> {
    if (this.has(subscriber)) await this.#topics.join(subscriber, topic);
  }

  leave(subscriber: Subscriber, topic: string): void {
    this.#topics.leave(subscriber, topic);
  }

  #change(topic: string, message: Exclude<BusMessage, { kind: 'broadcast' | 'event' }>, text: string): void {
    const subscribers = [...this.#topics.subscribersOf(topic)];
    switch (message.kind) {
      case 'joined':
      case 'left':
        if (this.#memberships.note(`${topic} ${message.groupId}`, message.seq)) this.#move(subscribers, message, text);
        return;
      case 'dropped':
        this.#takeOut(subscribers, topic);
        return;
      case 'revoked':
        for (const subscriber of subscribers) if (subscriber.sessionId !== message.exceptSessionId) subscriber.revoke();
        return;
      case 'reconnect':
        for (const subscriber of subscribers) subscriber.reconnect();
        return;
      case 'ownWanted':
        if (this.#own.forget(message.userId)) this.#publisher.requestCatchUp(ownTopic(message.userId));
        return;
      case 'loss':
        this.emit('loss', subscribers);
        return;
      case 'catchUp':
        this.tell(subscribers, 'catchUp', {});
        return;
      case 'status':
        this.emit('status', message.userId);
        return;
    }
  }

  #move(subscribers: Subscriber[], { kind, groupId }: { kind: 'joined' | 'left'; groupId: string }, text: string): void {
    const topic = groupTopic(groupId);
    for (const subscriber of subscribers) subscriber.groupChanges?.set(groupId, kind === 'joined');
    if (kind === 'left') this.#takeOut(subscribers, topic);
    else for (const subscriber of subscribers) this.#join(subscriber, topic);
    if (text) deliver(this.#metrics, subscribers, textFrame(text));
    this.emit('moved', subscribers);
  }

  /** Takes connections out of a group's topic, because their users are no members. */
  #takeOut(subscribers: Subscriber[], topic: string): void {
    for (const subscriber of subscribers) this.leave(subscriber, topic);
    // All of them are out by now: what comes of it none of them is told.
    for (const { userId } of subscribers) this.emit('left', userId, topic);
  }

  /** Puts a connection into a group's topic. What was published before this process heard the group is lost to it. */
  #join(subscriber: Subscriber, topic: string): void {
    const joined = this.join(subscriber, topic);
    if (!this.#topics.isReady(topic)) void joined.then(() => this.tell([subscriber], 'catchUp', {}));
  }
}
