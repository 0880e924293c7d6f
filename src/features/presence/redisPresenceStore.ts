import type { Cluster, Redis } from 'ioredis';
import { ENTER, LEAVE, RENEW } from './presenceScripts.ts';
import type { Presence, PresenceStore } from './presenceStore.ts';

/** How long a process counts as alive after it said so, in seconds. */
const LEASE = 20;
/** How long after that a process that says so again is late, in seconds: before the first may count it as dead. */
const LATE = LEASE / 2;
const DAY = 86_400;
/** How long it is remembered when a process died, and when a user was last seen, in seconds. */
const REMEMBER_PROCESS = DAY;
const REMEMBER_USER = 30 * DAY;
/** How long it is remembered that a user came, in seconds: longer than anybody stays connected to one process. */
const REMEMBER_ENTRY = 365 * DAY;

/** A sorted set: the processes, by when they last said that they live, in seconds of Redis's clock. */
const PROCESSES = 'messenger:processes';
/** A hash: for each process with connections of the user since when, in milliseconds; and when the last of all was closed. */
const keyOf = (userId: string): string => `messenger:presence:${userId}`;
const LAST_SEEN = 'lastSeenAt';

/**
 * Who is online at any of the processes on one Redis. Each says every few seconds that it lives: when one is killed, its users are
 * those of a dead process, and so offline. Whoever reads of such a user first stores that.
 */
export class RedisPresenceStore implements PresenceStore {
  readonly #redis: Redis | Cluster;
  readonly #processId: string;
  /** When each process last said that it lives, and what time it was then, both in seconds of Redis's clock. */
  #renewals = new Map<string, number>();
  #now = 0;
  /** The processes that were alive when it was last asked whether any has died. */
  #alive = new Set<string>();
  #lastEntry = 0;

  constructor(redis: Redis | Cluster, processId: string) {
    this.#redis = redis;
    this.#processId = processId;
  }

  enter(userId: string): Promise<unknown> {
    // No two entries are the same, or one could be removed in place of another.
    this.#lastEntry = Math.max(Date.now(), this.#lastEntry + 1);
    return this.#redis.eval(ENTER, 1, keyOf(userId), this.#processId, this.#lastEntry, REMEMBER_ENTRY);
  }

  leave(userId: string): Promise<unknown> {
    return this.#redis.eval(LEAVE, 1, keyOf(userId), Date.now(), REMEMBER_USER, this.#processId, '');
  }

  async read(userIds: string[]): Promise<Presence[]> {
    const hashes = await Promise.all(userIds.map((userId) => this.#redis.hgetall(keyOf(userId))));
    const isKnown = (field: string) => field === LAST_SEEN || this.#isAlive(field);
    // A process that has just started, or lives again, is not known here yet.
    if (!hashes.every((hash) => Object.keys(hash).every(isKnown))) await this.#look();
    return hashes.map((hash, index) => this.#presenceOf(userIds[index] ?? '', hash));
  }

  async renew(): Promise<boolean> {
    const passed = await this.#redis.eval(RENEW, 1, PROCESSES, this.#processId, REMEMBER_PROCESS);
    return typeof passed !== 'number' || passed > LATE;
  }

  async deaths(): Promise<boolean> {
    const before = this.#alive;
    await this.#look();
    this.#alive = new Set([...this.#renewals.keys()].filter((processId) => this.#isAlive(processId)));
    return [...before].some((processId) => this.#renewals.has(processId) && !this.#alive.has(processId));
  }

  close(): Promise<unknown> {
    return this.#redis.zrem(PROCESSES, this.#processId);
  }

  async #look(): Promise<void> {
    const [[seconds], rows] = await Promise.all([this.#redis.time(), this.#redis.zrange(PROCESSES, '0', '-1', 'WITHSCORES')]);
    this.#now = Number(seconds);
    this.#renewals = new Map(pairs(rows));
  }

  #isAlive(processId: string): boolean {
    return (this.#renewals.get(processId) ?? Number.NEGATIVE_INFINITY) > this.#now - LEASE;
  }

  #presenceOf(userId: string, { [LAST_SEEN]: left = '0', ...connectedSince }: Record<string, string>): Presence {
    const entries = Object.entries(connectedSince);
    const dead = entries.filter(([processId]) => !this.#isAlive(processId));
    const deaths = dead.map(([processId, since]) => Math.max(Number(since), (this.#renewals.get(processId) ?? 0) * 1000));
    const lastSeen = Math.max(Number(left), ...deaths);
    // Where it fails, the next to read stores it.
    if (dead.length > 0) this.#redis.eval(LEAVE, 1, keyOf(userId), lastSeen, REMEMBER_USER, ...dead.flat()).catch(() => {});
    return { status: dead.length < entries.length ? 'online' : 'offline', lastSeenAt: lastSeen > 0 ? new Date(lastSeen) : null };
  }
}

/** Members and scores as Redis lists them: one after the other. */
function pairs(rows: string[]): [string, number][] {
  return rows.flatMap((member, index) => (index % 2 === 0 ? [[member, Number(rows[index + 1])]] : []));
}
