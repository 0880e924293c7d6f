import type { Cluster, Redis } from 'ioredis';
import type { Presence, PresenceStore } from './presenceStore.ts';

/** How long a process counts as alive after it said so, in seconds. */
const LEASE = 20;
/** How long it is remembered when a process died, and when a user was last seen, in seconds. */
const REMEMBER_PROCESS = 86_400;
const REMEMBER_USER = 30 * 86_400;

/** A sorted set: the processes, by when they last said that they live, in seconds of Redis's clock. */
const PROCESSES = 'messenger:processes';
/** A hash: for each process with connections of the user since when, in milliseconds; and when the last of all was closed. */
const keyOf = (userId: string): string => `messenger:presence:${userId}`;
const LAST_SEEN = 'lastSeenAt';

/**
 * Who is online at any of the processes on one Redis. Each says every few seconds that it lives: when one is killed, its users are
 * those of a dead process, and so offline, without anybody touching them.
 */
export class RedisPresenceStore implements PresenceStore {
  readonly #redis: Redis | Cluster;
  readonly #processId: string;
  /** When each process last said that it lives, and what time it was then, both in seconds of Redis's clock. */
  #renewals = new Map<string, number>();
  #now = 0;

  constructor(redis: Redis | Cluster, processId: string) {
    this.#redis = redis;
    this.#processId = processId;
  }

  enter(userId: string): Promise<unknown> {
    const key = keyOf(userId);
    return this.#redis.multi().hset(key, this.#processId, Date.now()).persist(key).exec();
  }

  leave(userId: string): Promise<unknown> {
    const key = keyOf(userId);
    return this.#redis.multi().hdel(key, this.#processId).hset(key, LAST_SEEN, Date.now()).expire(key, REMEMBER_USER).exec();
  }

  async read(userIds: string[]): Promise<Presence[]> {
    const hashes = await Promise.all(userIds.map((userId) => this.#redis.hgetall(keyOf(userId))));
    const isKnown = (field: string) => field === LAST_SEEN || this.#renewals.has(field);
    // A process that has just started is not known here yet.
    if (!hashes.every((hash) => Object.keys(hash).every(isKnown))) await this.#look();
    return hashes.map((hash) => this.#presenceOf(hash));
  }

  async renew(): Promise<boolean> {
    const before = this.#renewals;
    const now = await this.#time();
    await this.#redis.zadd(PROCESSES, now, this.#processId);
    await this.#redis.zremrangebyscore(PROCESSES, '-inf', now - REMEMBER_PROCESS);
    const wereAlive = [...before.keys()].filter((processId) => this.#isAlive(processId));
    await this.#look();
    return wereAlive.some((processId) => !this.#isAlive(processId));
  }

  close(): Promise<unknown> {
    return this.#redis.zrem(PROCESSES, this.#processId);
  }

  async #look(): Promise<void> {
    const [now, rows] = await Promise.all([this.#time(), this.#redis.zrange(PROCESSES, '0', '-1', 'WITHSCORES')]);
    this.#now = now;
    this.#renewals = new Map(pairs(rows));
  }

  async #time(): Promise<number> {
    const [seconds] = await this.#redis.time();
    return Number(seconds);
  }

  #isAlive(processId: string): boolean {
    return (this.#renewals.get(processId) ?? 0) > this.#now - LEASE;
  }

  #presenceOf(hash: Record<string, string>): Presence {
    const { [LAST_SEEN]: left = '0', ...connectedSince } = hash;
    if (Object.keys(connectedSince).some((processId) => this.#isAlive(processId))) return { status: 'online', lastSeenAt: seenAt(left) };
    const deaths = Object.entries(connectedSince).map(([processId, since]) => {
      const renewal = this.#renewals.get(processId);
      return renewal === undefined ? Number(since) : renewal * 1000;
    });
    return { status: 'offline', lastSeenAt: seenAt(Math.max(Number(left), ...deaths)) };
  }
}

function seenAt(milliseconds: string | number): Date | null {
  return Number(milliseconds) > 0 ? new Date(Number(milliseconds)) : null;
}

/** Members and scores as Redis lists them: one after the other. */
function pairs(rows: string[]): [string, number][] {
  return rows.flatMap((member, index) => (index % 2 === 0 ? [[member, Number(rows[index + 1])]] : []));
}
