import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newDatabase, query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call, newUser, type TestUser } from './support/http.ts';
import { startServer } from './support/server.ts';

const found = z.object({ data: z.array(z.looseObject({ firstName: z.string() })) });

/** How often the table of users has been read as a whole, and through the index that search is meant to use. */
async function reads(databaseUrl: string): Promise<{ wholeTable: number; index: number }> {
  const [row] = await query<{ wholeTable: string; index: string }>(
    databaseUrl,
    `SELECT users.seq_scan AS "wholeTable", index.idx_scan AS index
     FROM pg_stat_user_tables users JOIN pg_stat_user_indexes index USING (relid)
     WHERE users.relname = 'users' AND index.indexrelname = 'users_search_text'`,
  );
  return { wholeTable: Number(row?.wholeTable), index: Number(row?.index) };
}

/** Runs `work` with a server that is gone when it returns: a connection reports what it read when it ends, at the latest. */
async function withServer<T>(databaseUrl: string, work: (server: { url: string }) => Promise<T>): Promise<T> {
  const server = await startServer({}, databaseUrl);
  const result = await work(server).finally(() => server.app.stop());
  await eventually(async () => {
    const others = await query(
      databaseUrl,
      `SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    expect(others).toEqual([]);
  });
  return result;
}

describe('search among thousands', () => {
  test('finds a rare term of three letters, in any script, through the index and never by reading all users', async () => {
    const databaseUrl = await newDatabase();
    const rare = ['Wqzorn', 'Иждщин', '김민준'];
    const me: TestUser = await withServer(databaseUrl, async (server) => {
      for (const name of rare) await newUser(server, name, null);
      return newUser(server);
    });
    await query(
      databaseUrl,
      `INSERT INTO users (id, email, first_name, last_name, password_hash, search_text, created_at, updated_at)
       SELECT gen_random_uuid(), mail, name, NULL, 'x', upper(E'\\n' || name || E'\\n' || mail || E'\\n'), now(), now()
       FROM generate_series(1, 20000) AS n
       CROSS JOIN LATERAL (SELECT 'Person' || md5(n::text) AS name, 'user' || n || '@example.com' AS mail) AS made`,
    );
    await query(databaseUrl, 'VACUUM ANALYZE users');
    for (const [name, term] of [
      ['Wqzorn', 'wqz'],
      ['Wqzorn', 'qzo'],
      ['Иждщин', 'ижд'],
      ['김민준', '김민준'],
    ] as const) {
      const before = await reads(databaseUrl);
      const { body } = await withServer(databaseUrl, (server) =>
        call(server, 'GET', `/search?searchText=${encodeURIComponent(term)}`, { token: me.token }),
      );
      expect(found.parse(body).data).toMatchObject([{ firstName: name }]);
      const after = await reads(databaseUrl);
      expect({ [term]: after.wholeTable - before.wholeTable }).toEqual({ [term]: 0 });
      expect(after.index).toBeGreaterThan(before.index);
    }
  });
});
