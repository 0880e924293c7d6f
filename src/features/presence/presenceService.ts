import type { Database } from '../../db/sequelize.ts';
import type { Logger } from '../../lib/logger.ts';
import { within } from '../../lib/within.ts';
import type { Hub } from '../../realtime/hub.ts';
import type { Publisher } from '../../realtime/publisher.ts';
import type { Subscriber } from '../../realtime/subscriber.ts';
import { statusTopic } from '../../realtime/topics.ts';
import type { Presence, PresenceStore, UserStatus } from './presenceStore.ts';
import { StatusNews } from './statusNews.ts';

/** How often a process says that it lives, and looks whether others do, in milliseconds. */
const RENEWAL = 5_000;
/** How long is waited for an answer of the store, in milliseconds; then what is known here must do. */
const PATIENCE = 1_000;
/** How long nobody is told that others went offline after messages were lost, in milliseconds: they may not have said yet that they live. */
const GRACE = 10_000;
/** Users that are read at a time. */
const CHUNK = 200;

interface PresenceOptions {
  store: PresenceStore;
  database: Database;
  hub: Hub;
  publisher: Publisher;
  logger: Logger;
}

/**
 * Who is online. Only who watches a user is told when that changes: a change travels as a hint on a topic of the user, and each process
 * that has somebody who watches reads the store then. So hints that are late, doubled or in the wrong order do no harm.
 */
export class PresenceService {
  readonly #store: PresenceStore;
  readonly #hub: Hub;
  readonly #publisher: Publisher;
  readonly #logger: Logger;
  readonly #news: StatusNews;
  /** How many connections of each user are open here. */
  readonly #connections = new Map<string, number>();
  readonly #due = new Set<string>();
  /** Users whose last change the store did not take. */
  readonly #unsettled = new Set<string>();
  /** Users whose status the store did not tell when it was asked last. */
  readonly #unread = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** Until when nobody is told that others went offline, by `performance.now()`; 0 when all were looked at since. */
  #quietUntil = 0;

  constructor({ store, database, hub, publisher, logger }: PresenceOptions) {
    this.#store = store;
    this.#hub = hub;
    this.#publisher = publisher;
    this.#logger = logger;
    this.#news = new StatusNews(database, hub, logger);
    hub.on('status', (userId) => this.#lookSoon(userId));
    hub.on('restored', () => {
      this.#doubtAll();
      void this.#renew();
    });
  }

  /** Begins to say that this process lives. Never rejects. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#renew(), RENEWAL).unref();
    // Nobody can have been taken for gone yet.
    await within(
      PATIENCE,
      this.#store.renew().catch(() => {}),
    );
  }

  /** A connection of the user was opened. */
  connected(userId: string): void {
    const count = this.#connections.get(userId) ?? 0;
    this.#connections.set(userId, count + 1);
    if (count === 0) this.#settle(userId);
  }

  /** A connection of the user was closed. */
  disconnected(userId: string): void {
    const count = this.#connections.get(userId) ?? 0;
    if (count > 1) this.#connections.set(userId, count - 1);
    else {
      this.#connections.delete(userId);
      this.#settle(userId);
    }
  }

  /** From now on the connection is told when the status of one of the users changes, if it asked for such events. Resolves with what it is now. */
  async watch(subscriber: Subscriber, userIds: string[]): Promise<UserStatus[]> {
    await Promise.all(userIds.map((userId) => this.#hub.join(subscriber, statusTopic(userId))));
    const presences = await this.#read(userIds);
    return userIds.map((userId, index) => ({ userId, ...this.#tell(userId, presences[index]) }));
  }

  unwatch(subscriber: Subscriber, userIds: string[]): void {
    for (const userId of userIds) this.#hub.leave(subscriber, statusTopic(userId));
  }

  /** All connections are closed: says so, and ends. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await within(
      PATIENCE,
      this.#store.close().catch(() => {}),
    );
  }

  /** Stores whether the user is connected here, and lets those who watch know. */
  #settle(userId: string): void {
    const stored = this.#connections.has(userId) ? this.#store.enter(userId) : this.#store.leave(userId);
    this.#unsettled.delete(userId);
    stored.then(
      () => this.#publisher.announceStatus(userId),
      (error: unknown) => {
        this.#unsettled.add(userId);
        this.#logger.debug({ err: error }, 'a change of presence was not stored');
      },
    );
  }

  /** Hints of one turn of the event loop are looked after together. */
  #lookSoon(userId: string): void {
    if (this.#due.size === 0) setImmediate(() => void this.#look([...this.#due]));
    this.#due.add(userId);
  }

  async #look(userIds: string[]): Promise<void> {
    for (const userId of userIds) this.#due.delete(userId);
    const presences = await this.#read(userIds);
    for (const [index, userId] of userIds.entries()) this.#tell(userId, presences[index]);
  }

  /** Tells those who watch the user, if it is news that can be trusted. Returns what they know then, or will soon. */
  #tell(userId: string, presence: Presence = OFFLINE): Presence {
    const before = this.#news.last(userId);
    if (before?.status === 'online' && presence.status === 'offline' && this.#quietUntil > 0) return before;
    this.#news.add(userId, presence);
    return presence;
  }

  /** What the store says, or what is known here when it does not answer. */
  async #read(userIds: string[]): Promise<Presence[]> {
    const presences = await within(PATIENCE, this.#store.read(userIds)).catch((error: unknown) => {
      this.#logger.debug({ err: error }, 'presence could not be read');
    });
    if (presences) return presences;
    for (const userId of userIds) this.#unread.add(userId);
    return userIds.map((userId) => (this.#connections.has(userId) ? ONLINE : (this.#news.last(userId) ?? OFFLINE)));
  }

  async #renew(): Promise<void> {
    this.#news.renew();
    try {
      if (await this.#store.renew()) this.#doubtAll();
      for (const userId of this.#unsettled) this.#settle(userId);
      if (performance.now() < this.#quietUntil) return;
      const somebodyDied = await this.#store.deaths();
      // It may have stored what it did not live to publish.
      if (somebodyDied) this.#hub.lost();
      const isOver = this.#quietUntil > 0 && performance.now() >= this.#quietUntil;
      if (isOver) this.#quietUntil = 0;
      const unread = [...this.#unread];
      this.#unread.clear();
      await this.#lookAgain(somebodyDied || isOver ? this.#news.userIds : unread);
    } catch (error) {
      this.#logger.debug({ err: error }, 'presence could not be renewed');
    }
  }

  async #lookAgain(userIds: string[]): Promise<void> {
    for (let begin = 0; begin < userIds.length; begin += CHUNK) await this.#look(userIds.slice(begin, begin + CHUNK));
  }

  /** The store may have forgotten everything, and does not know what happened meanwhile. */
  #doubtAll(): void {
    this.#quietUntil = performance.now() + GRACE;
    for (const userId of this.#connections.keys()) this.#unsettled.add(userId);
  }
}

const ONLINE: Presence = { status: 'online', lastSeenAt: null };
const OFFLINE: Presence = { status: 'offline', lastSeenAt: null };
