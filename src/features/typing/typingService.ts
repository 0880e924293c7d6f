import type { Database } from '../../db/sequelize.ts';
import type { Hub } from '../../realtime/hub.ts';
import type { Publisher } from '../../realtime/publisher.ts';
import type { Subscriber } from '../../realtime/subscriber.ts';
import { groupTopic, userTopic } from '../../realtime/topics.ts';
import { isLargeGroup, type NamedConversation } from '../messages/conversation.ts';
import { requireTypist } from './queries.ts';

/** How long somebody types who does not say so again, in milliseconds. */
const LASTING = 6_000;
/** Least time between two starts that are passed on, in milliseconds: of one user in one conversation, and of all users in a large group. */
const INTERVAL = 1_000;

/** Somebody who types in a conversation. */
interface Typing {
  userId: string;
  conversation: NamedConversation;
  /** On which those who are told hear it, and hear what the user writes there. */
  topic: string;
  /** Where the user types; when it is gone, so is this. */
  connection: Subscriber;
  /** What a start has to wait for its turn in: of the user in the conversation, and of all in a large group. Undefined until the user may type there. */
  turns: [string, ...string[]] | undefined;
  /** Whether the others know. */
  isTold: boolean;
  /** Ends it. */
  timer: NodeJS.Timeout;
}

/**
 * Who types, on the connections of this process. Nothing of it is stored, and what others are told may be lost: a start that is not said
 * again, or the turn of a large group. An end is told whenever a start was, to those who are still there.
 *
 * What ends it may be sent through any process, so this one hears the topic of those who are told, which is the other person's in a dialog,
 * for as long as somebody types. Who sends has nothing to do for it.
 */
export class TypingService {
  readonly #database: Database;
  readonly #hub: Hub;
  readonly #publisher: Publisher;
  /** By user, and by conversation. */
  readonly #typings = new Map<string, Map<string, Typing>>();
  /** The users in conversations, and the large groups, of whom a start was passed on a moment ago. */
  readonly #quiet = new Set<string>();

  constructor(database: Database, hub: Hub, publisher: Publisher) {
    this.#database = database;
    this.#hub = hub;
    this.#publisher = publisher;
    hub.on('sent', (userId, topic) => this.#endIn(topic, userId));
    hub.on('left', (userId, topic) => this.#endIn(topic, userId));
  }

  /**
   * The connection's user types; the others are told, at once or when they may be told of the user again.
   * @throws {AppError} `not_a_member`, `no_such_user` or `unauthorized`
   */
  async start(connection: Subscriber, conversation: NamedConversation): Promise<void> {
    if (!this.#hub.has(connection)) return;
    const typing = this.#keep(connection, conversation);
    if (typing.turns && this.#quiet.has(typing.turns[0])) return;
    const memberCount = await requireTypist(this.#database, typing.userId, conversation).catch((error: unknown) => {
      this.#end(typing);
      throw error;
    });
    // Meanwhile the user may have stopped.
    if (!this.#isKept(typing)) return;
    const { conversationId } = conversation;
    const own = `${typing.userId} ${conversationId}`;
    typing.turns = isLargeGroup(memberCount) ? [own, conversationId] : [own];
    this.#tellInTurn(typing, typing.turns);
  }

  /** The user does not type there any more. */
  stop(userId: string, conversationId: string): void {
    const typing = this.#typings.get(userId)?.get(conversationId);
    if (typing) this.#end(typing);
  }

  /** The connection is gone. */
  disconnected(connection: Subscriber): void {
    for (const typing of this.#typings.get(connection.userId)?.values() ?? []) if (typing.connection === connection) this.#end(typing);
  }

  #keep(connection: Subscriber, conversation: NamedConversation): Typing {
    const { userId } = connection;
    const mine = this.#typings.get(userId) ?? new Map<string, Typing>();
    this.#typings.set(userId, mine);
    const known = mine.get(conversation.conversationId);
    if (known) {
      known.connection = connection;
      known.timer.refresh();
      return known;
    }
    const { conversationId, companionId } = conversation;
    const topic = companionId === null ? groupTopic(conversationId) : userTopic(companionId);
    const timer = setTimeout(() => this.#end(typing), LASTING).unref();
    const typing: Typing = { userId, conversation, topic, connection, turns: undefined, isTold: false, timer };
    mine.set(conversationId, typing);
    // Nobody waits for it: it is on its way before anybody is told, and so before whatever is sent then.
    this.#hub.listen(topic);
    return typing;
  }

  #isKept(typing: Typing): boolean {
    return this.#typings.get(typing.userId)?.get(typing.conversation.conversationId) === typing;
  }

  #endIn(topic: string, userId: string): void {
    for (const typing of this.#typings.get(userId)?.values() ?? []) if (typing.topic === topic) this.#end(typing);
  }

  #end(typing: Typing): void {
    if (!this.#isKept(typing)) return;
    const { userId, conversation, topic, timer } = typing;
    clearTimeout(timer);
    this.#hub.ignore(topic);
    const mine = this.#typings.get(userId);
    mine?.delete(conversation.conversationId);
    if (mine?.size === 0) this.#typings.delete(userId);
    if (typing.isTold) this.#tell(typing);
  }

  #tellInTurn(typing: Typing, turns: string[]): void {
    if (turns.some((turn) => this.#quiet.has(turn))) return;
    for (const turn of turns) this.#quiet.add(turn);
    setTimeout(() => {
      for (const turn of turns) this.#quiet.delete(turn);
      this.#tellLate(typing);
    }, INTERVAL).unref();
    typing.isTold = true;
    this.#tell(typing);
  }

  /**
   * Tells of a start that came too soon after this one, of the same user: who writes one message after the other stops and starts again.
   * Not in a large group, where the next turn is for whoever starts next.
   */
  #tellLate({ userId, conversation }: Typing): void {
    const typing = this.#typings.get(userId)?.get(conversation.conversationId);
    if (typing?.turns?.length === 1 && !typing.isTold) this.#tellInTurn(typing, typing.turns);
  }

  /** Tells the others whether the user types. */
  #tell(typing: Typing): void {
    const { userId, conversation, topic } = typing;
    const address = { companionId: conversation.companionId && userId, groupId: conversation.groupId };
    const news = { userId, isTyping: this.#isKept(typing) };
    this.#publisher.publish(topic, 'userTyping', { ...address, ...news }, { exceptUserIds: [userId] });
  }
}
