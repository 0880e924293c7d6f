import pg from 'pg';
import { query } from './database.ts';
import { eventually } from './eventually.ts';

/** Rows or tables that the test holds, so that the server has to wait for them. */
export interface Lock {
  /** Resolves when `count` of the server's queries wait for a lock. */
  awaited(count: number): Promise<void>;
  /** Once more does nothing. */
  release(): Promise<void>;
  /** Until now or `release`, in milliseconds. */
  readonly heldFor: number;
}

/** How long a lock may be held so that nothing has been given up when it is released, in milliseconds: after five seconds the server does. */
const MARGIN = 2_500;
const ATTEMPTS = 3;

/**
 * Does what must be done while the server waits for a lock. Where that failed and the lock was held for too long, the machine was so slow that
 * nothing is shown: then it is done again, from the beginning, but not for ever.
 */
export async function whileItWaits<Result>(scene: (hold: typeof holdLock) => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const locks: Lock[] = [];
    try {
      return await scene(async (...statement) => {
        const lock = await holdLock(...statement);
        locks.push(lock);
        return lock;
      });
    } catch (error) {
      await Promise.all(locks.map((lock) => lock.release()));
      if (attempt === ATTEMPTS || locks.every(({ heldFor }) => heldFor < MARGIN)) throw error;
    }
  }
}

/** Runs a statement that takes a lock, and keeps it until `release`. */
export async function holdLock(databaseUrl: string, sql: string, values: unknown[] = []): Promise<Lock> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query(sql, values);
  const begun = performance.now();
  let releasedAt: number | undefined;
  const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return {
    awaited: (count) =>
      eventually(async () => {
        const found = (await query(databaseUrl, waiting)).length;
        if (found < count) throw new Error(`${found} of ${count} wait`);
      }),
    async release() {
      releasedAt ??= performance.now();
      await client.end();
    },
    get heldFor() {
      return (releasedAt ?? performance.now()) - begun;
    },
  };
}
