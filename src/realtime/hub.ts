import { EventEmitter } from 'node:events';
import type { Metrics } from '../metrics.ts';
import type { BroadcastItem, BroadcastType } from '../ws/broadcasts.ts';
import { broadcastFrame } from '../ws/envelope.ts';
import type { Bus, BusListener, BusMessage } from './bus.ts';
import { type Frame, textFrame } from './frame.ts';
import { LatestChanges } from './latestChanges.ts';
import { isOptInEvent, type OptInEvent } from './optInEvents.ts';
import { OwnMessages } from './ownMessages.ts';
import type { Subscriber } from './subscriber.ts';
import { Throttle } from './throttle.ts';
import { TopicIndex } from './topicIndex.ts';
import { groupIdOf, groupTopic, ownTopic, ownUserIdOf, statusTopic, userTopic } from './topics.ts';

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

/** A change of who is in a group, and the number of the message in it that tells of that. */
interface MembershipChange {
  groupId: string;
  seq: number;
}

/** Who gets a broadcast: everybody in the topic but these. */
export interface Exceptions {
  exceptUserIds?: string[] | undefined;
  exceptConnectionId?: string | undefined;
}

/** The same, of those only who asked for the event. */
interface Audience extends Exceptions {
  event?: OptInEvent | undefined;
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
  readonly #topics: TopicIndex;
  readonly #metrics: Metrics;
  readonly #bus: Bus;
  readonly #own: OwnMessages;
  /** Who is in which group, by the number of the message that tells of it: processes may publish changes in another order than they made them. */
  readonly #memberships = new LatestChanges();
  readonly #catchUps = new Throttle((topic) => void this.#bus.publish(topic, { kind: 'catchUp' }));
  readonly #refreshes = new Throttle((topic) => void this.#bus.publish(topic, { kind: 'loss' }));

  constructor(metrics: Metrics, bus: Bus) {
    super();
    this.#metrics = metrics;
    this.#bus = bus;
    this.#topics = new TopicIndex(bus);
    this.#own = new OwnMessages({ bus, topics: this.#topics, deliver: (...broadcast) => this.receive(...broadcast) });
    metrics.watchTopics(() => this.#topics.size);
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

  /**
   * Sends a broadcast to a topic, encoded and framed once; an opt-in event reaches those who asked for it.
   * Call it only after what it tells is committed.
   */
  publish<Type extends BroadcastType>(topic: string, type: Type, item: BroadcastItem<Type>, exceptions: Exceptions = {}): void {
    if (!this.#isHeard(topic)) return;
    const message: BusMessage = isOptInEvent(type) ? { kind: 'event', event: type, ...exceptions } : { kind: 'broadcast', ...exceptions };
    void this.#bus.publish(topic, message, broadcastFrame(type, item));
  }

  /** Tells the user's other connections that asked for it what the user did on one; `item` is made only when anybody may hear. */
  publishOwn<Type extends BroadcastType>(
    userId: string,
    connection: Subscriber | undefined,
    type: Type,
    item: () => BroadcastItem<Type>,
  ): void {
    this.#own.publish(userId, connection?.id, () => broadcastFrame(type, item()));
  }

  /**
   * What is asked for is done already, a message is stored: the process that did it may have ended before its broadcast, or not known
   * that it was done. Those in the topic who asked for it are told to catch up, and of a message the sender's other connections too.
   */
  requestCatchUp(topic: string, senderId?: string): void {
    const topics = senderId === undefined ? [topic] : [topic, ownTopic(senderId)];
    for (const each of topics) if (this.#isHeard(each)) this.#catchUps.call(each);
  }

  /** The user became a member by the message `seq` of the group: the user's connections receive what the group receives, from the broadcast `news` on. */
  joinGroup(userId: string, { groupId, seq }: MembershipChange, news?: BroadcastItem<'addUserInGroup'>): void {
    const text = news ? broadcastFrame('addUserInGroup', news) : '';
    void this.#bus.publish(userTopic(userId), { kind: 'joined', groupId, seq }, text);
  }

  /** The user is no longer a member since the message `seq` of the group: the last that the user's connections receive of it is the broadcast `news`. */
  leaveGroup(userId: string, { groupId, seq }: MembershipChange, news?: BroadcastItem<'dropGroup'>): void {
    const text = news ? broadcastFrame('dropGroup', news) : '';
    void this.#bus.publish(userTopic(userId), { kind: 'left', groupId, seq }, text);
  }

  /** The group has no members any more. */
  dropGroup(groupId: string): void {
    void this.#bus.publish(groupTopic(groupId), { kind: 'dropped' });
  }

  /** Ends the user's connections, save those of the session `exceptSessionId`. */
  revoke(userId: string, exceptSessionId?: string): void {
    void this.#bus.publish(userTopic(userId), { kind: 'revoked', ...(exceptSessionId && { exceptSessionId }) });
  }

  /** Closes the user's connections, so that the database decides anew which of them may go on, and what they receive. */
  reconnect(userId: string): void {
    void this.#bus.publish(userTopic(userId), { kind: 'reconnect' });
  }

  /** What the user's connections receive is read anew, and they are told to catch up; they stay open. No more often than `requestCatchUp`. */
  refresh(userId: string): void {
    this.#refreshes.call(userTopic(userId));
  }

  /** The status of a user may have changed: every process that has somebody who watches it is to look. */
  announceStatus(userId: string): void {
    void this.#bus.publish(statusTopic(userId), { kind: 'status', userId });
  }

  /** Whether the connection was added, and not removed yet. */
  has(subscriber: Subscriber): boolean {
    return subscriber.topics.has(userTopic(subscriber.userId));
  }

  /** Whether a connection of this process is in the topic. */
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
    if (asked.length > 0) this.#deliver(asked, textFrame(broadcastFrame(event, item)));
  }

  receive(topic: string, message: BusMessage, text: string): void {
    if (message.kind === 'broadcast') for (const userId of message.exceptUserIds ?? []) this.emit('sent', userId, topic);
    // Nobody joins or leaves while a frame is handed out.
    if (message.kind === 'broadcast' || message.kind === 'event')
      this.#deliver(this.#topics.subscribersOf(topic), textFrame(text), message);
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

  #isHeard(topic: string): boolean {
    return this.#bus.isShared || this.#topics.has(topic);
  }

  #deliver(subscribers: Iterable<Subscriber>, frame: Frame, { event, exceptUserIds, exceptConnectionId }: Audience = {}): void {
    let count = 0;
    for (const subscriber of subscribers) {
      if (event && !subscriber.events.has(event)) continue;
      if (exceptUserIds?.includes(subscriber.userId) || subscriber.id === exceptConnectionId) continue;
      subscriber.deliver(frame);
      count++;
    }
    this.#metrics.deliveries.inc(count);
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
        if (this.#own.forget(message.userId)) this.#catchUps.call(ownTopic(message.userId));
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
    if (text) this.#deliver(subscribers, textFrame(text));
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
