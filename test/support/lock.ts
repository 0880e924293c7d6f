import pg from 'pg';
import { query } from './database.ts';
import { eventually } from './eventually.ts';

/** Rows or tables that the test holds, so that the server has to wait for them. */
export interface Lock {
  /** Resolves when `count` of the server's queries wait for a lock. */
  awaited(count: number): Promise<void>;
  release(): Promise<void>;
}

/** Runs a statement that takes a lock, and keeps it until `release`. */
export async function holdLock(databaseUrl: string, sql: string, values: unknown[] = []): Promise<Lock> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query(sql, values);
  const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return {
    awaited: (count) =>
      eventually(async () => {
        const found = (await query(databaseUrl, waiting)).length;
        if (found < count) throw new Error(`${found} of ${count} wait`);
      }),
    release: () => client.end(),
  };
}
