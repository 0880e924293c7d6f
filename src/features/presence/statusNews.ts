import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../db/sequelize.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Hub } from '../../realtime/hub.ts';
import { statusTopic } from '../../realtime/topics.ts';
import type { Presence, UserStatus } from './presenceStore.ts';
import { strangersAmong } from './queries.ts';

/** How long news is collected, in milliseconds: where people come and go all the time, many share a question to the database. */
const COLLECTING = 20;

/**
 * Tells those who watch users here what is new of them. Watching may outlast the last chat that two people share: so the database is asked
 * whether they share one after a status was read, and before it is told. Then nobody hears what happened after they did not,
 * whatever the bus loses. One question is under way at a time. While the database does not answer nobody is told anything.
 */
export class StatusNews {
  readonly #database: Database;
  readonly #hub: Hub;
  readonly #logger: Logger;
  /** What is told of each user, or will be soon. */
  readonly #last = new Map<string, Presence>();
  /** Users of whom it is not told yet. */
  readonly #untold = new Set<string>();
  #isTelling = false;

  constructor(database: Database, hub: Hub, logger: Logger) {
    this.#database = database;
    this.#hub = hub;
    this.#logger = logger;
  }

  /** The users whom somebody watches here. */
  get userIds(): string[] {
    return [...this.#last.keys()];
  }

  /** The newest status of the user that was added. */
  last(userId: string): Presence | undefined {
    return this.#last.get(userId);
  }

  /** If the status is another one than the last, those who watch the user are told soon: that one, or a newer one. */
  add(userId: string, presence: Presence): void {
    const before = this.#last.get(userId);
    this.#last.set(userId, presence);
    if (!before || before.status === presence.status) return;
    this.#untold.add(userId);
    void this.#tellAll();
  }

  /** Forgets whom nobody watches, and tells what could not be told. To be called every few seconds. */
  renew(): void {
    for (const userId of this.#last.keys()) if (!this.#hub.hasTopic(statusTopic(userId))) this.#last.delete(userId);
    void this.#tellAll();
  }

  /** Never rejects. */
  async #tellAll(): Promise<void> {
    if (this.#isTelling) return;
    this.#isTelling = true;
    while (this.#untold.size > 0) {
      await delay(COLLECTING);
      const userIds = [...this.#untold];
      this.#untold.clear();
      try {
        await this.#tell(userIds);
      } catch (error) {
        for (const userId of userIds) this.#untold.add(userId);
        this.#logger.debug({ err: error }, 'changes of presence could not be told');
        break;
      }
    }
    this.#isTelling = false;
  }

  async #tell(userIds: string[]): Promise<void> {
    // What is read after the question has begun is told after the next one.
    const news = userIds.flatMap((userId): UserStatus[] => {
      const presence = this.#last.get(userId);
      return presence ? [{ userId, ...presence }] : [];
    });
    const pairs = news.flatMap(({ userId }) => this.#watchersOf(userId).map((otherId) => ({ userId, otherId })));
    const strangers = new Set(await strangersAmong(this.#database, pairs));
    const allowed = new Set(pairs.filter((pair) => !strangers.has(pair)).map(({ userId, otherId }) => `${userId} ${otherId}`));
    for (const status of news) {
      const watchers = [...this.#hub.subscribersOf(statusTopic(status.userId))];
      const friends = watchers.filter((watcher) => allowed.has(`${status.userId} ${watcher.userId}`));
      this.#hub.tell(friends, 'userStatus', status);
    }
  }

  #watchersOf(userId: string): string[] {
    return [...new Set([...this.#hub.subscribersOf(statusTopic(userId))].map((watcher) => watcher.userId))];
  }
}
