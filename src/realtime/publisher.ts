import type { BroadcastItem, BroadcastType } from '../ws/broadcasts.ts';
import { broadcastFrame } from '../ws/envelope.ts';
import type { Bus, BusMessage } from './bus.ts';
import type { Exceptions } from './deliver.ts';
import { isOptInEvent } from './optInEvents.ts';
import type { OwnMessages } from './ownMessages.ts';
import type { Subscriber } from './subscriber.ts';
import { Throttle } from './throttle.ts';
import type { TopicIndex } from './topicIndex.ts';
import { groupTopic, ownTopic, statusTopic, userTopic } from './topics.ts';

/** A change of who is in a group, and the number of the message in it that tells of that. */
interface MembershipChange {
  groupId: string;
  seq: number;
}

interface PublisherOptions {
  bus: Bus;
  topics: TopicIndex;
  own: OwnMessages;
}

/**
 * Puts on the bus what operations have to tell, for the connections of this process and of all others. Nothing waits for it, and it may be
 * lost: what is true stands in the database.
 */
export class Publisher {
  readonly #bus: Bus;
  readonly #topics: TopicIndex;
  readonly #own: OwnMessages;
  readonly #catchUps = this.#throttle('catchUp');
  readonly #refreshes = this.#throttle('loss');

  constructor({ bus, topics, own }: PublisherOptions) {
    this.#bus = bus;
    this.#topics = topics;
    this.#own = own;
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

  #throttle(kind: 'catchUp' | 'loss'): Throttle {
    return new Throttle({
      run: (topic) => void this.#bus.publish(topic, { kind }),
      connectionsIn: (topic) => this.#topics.subscribersOf(topic).size,
    });
  }

  #isHeard(topic: string): boolean {
    return this.#bus.isShared || this.#topics.has(topic);
  }
}
