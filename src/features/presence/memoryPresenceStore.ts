import type { Presence, PresenceStore } from './presenceStore.ts';

/** Users whose last moment is kept. */
const MAX_REMEMBERED = 100_000;

/** Who is online at a server that is alone. A start begins with nobody. */
export class MemoryPresenceStore implements PresenceStore {
  readonly #online = new Set<string>();
  /** The longest ago first. */
  readonly #lastSeen = new Map<string, Date>();

  async enter(userId: string): Promise<void> {
    this.#online.add(userId);
  }

  async leave(userId: string): Promise<void> {
    this.#online.delete(userId);
    this.#lastSeen.delete(userId);
    this.#lastSeen.set(userId, new Date());
    const [oldest] = this.#lastSeen.keys();
    if (oldest !== undefined && this.#lastSeen.size > MAX_REMEMBERED) this.#lastSeen.delete(oldest);
  }

  async read(userIds: string[]): Promise<Presence[]> {
    return userIds.map((userId) => ({
      status: this.#online.has(userId) ? 'online' : 'offline',
      lastSeenAt: this.#lastSeen.get(userId) ?? null,
    }));
  }

  async renew(): Promise<boolean> {
    return false;
  }

  async deaths(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {}
}
