import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newDatabase, query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call, newUser, type TestUser } from './support/http.ts';
import { startServer } from './support/server.ts';

const found = z.object({ data: z.array(z.looseObject({ firstName: z.string() })) });

/** How often the table of users has been read as a whole, and through the indexes for any part of a field. */
async function reads(databaseUrl: string): Promise<{ wholeTable: number; index: number }> {
  const [row] = await query<{ wholeTable: string; index: string }>(
    databaseUrl,
    `SELECT users.seq_scan AS "wholeTable", sum(index.idx_scan) AS index
     FROM pg_stat_user_tables users JOIN pg_stat_user_indexes index USING (relid)
     WHERE users.relname = 'users' AND index.indexrelname IN ('users_search_text', 'users_search_pieces')
     GROUP BY users.seq_scan`,
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
  let databaseUrl: string;
  let me: TestUser;
  beforeAll(async () => {
    databaseUrl = await newDatabase();
    me = await withServer(databaseUrl, async (server) => {
      for (const name of ['Wqzorn', 'Иждщин', '김민준', '李王芳', 'Ho+ek']) await newUser(server, name, null);
      return newUser(server);
    });
    // Every second name has 娜娟, every four hundredth 陈 and HW.
    await query(
      databaseUrl,
      `INSERT INTO users (id, email, first_name, last_name, password_hash, search_text, created_at, updated_at)
       SELECT gen_random_uuid(), mail, name, NULL, 'x', upper(E'\\n' || name || E'\\n' || mail || E'\\n'), now(), now()
       FROM generate_series(1, 20000) AS n
       CROSS JOIN LATERAL (
         SELECT 'Person' || md5(n::text) || CASE WHEN n % 400 = 0 THEN '陈hw' WHEN n % 2 = 0 THEN '娜娟' ELSE '' END AS name,
           'user' || n || '@example.com' AS mail
       ) AS made`,
    );
    await query(databaseUrl, 'VACUUM ANALYZE users');
  });

  /** First names of those who are found, and what was read for it. */
  async function search(term: string): Promise<{ names: string[]; wholeTable: number; index: number }> {
    const before = await reads(databaseUrl);
    const { body } = await withServer(databaseUrl, (server) =>
      call(server, 'GET', `/search?searchText=${encodeURIComponent(term)}`, { token: me.token }),
    );
    const after = await reads(databaseUrl);
    return {
      names: found.parse(body).data.map(({ firstName }) => firstName),
      wholeTable: after.wholeTable - before.wholeTable,
      index: after.index - before.index,
    };
  }

  test.each([
    ['wqz', 'Wqzorn'],
    ['qzo', 'Wqzorn'],
    ['ижд', 'Иждщин'],
    ['김민준', '김민준'],
    ['wq', 'Wqzorn'],
    ['qz', 'Wqzorn'],
    ['z', 'Wqzorn'],
    ['жд', 'Иждщин'],
    ['щ', 'Иждщин'],
    ['김민', '김민준'],
    ['王芳', '李王芳'],
    ['芳', '李王芳'],
    ['+', 'Ho+ek'],
    ['o+e', 'Ho+ek'],
  ])('finds the rare %s through an index and never by reading all users', async (term, name) => {
    const { names, wholeTable, index } = await search(term);
    expect({ names, wholeTable }).toEqual({ names: [name], wholeTable: 0 });
    expect(index).toBeGreaterThan(0);
  });

  test.each(['陈', 'hw', '陈h', '娜', '娜娟', 'm', 'er', 'exa'])('finds %s, which many have, without reading all users', async (term) => {
    const { names, wholeTable } = await search(term);
    expect({ count: names.length, wholeTable }).toEqual({ count: 20, wholeTable: 0 });
  });

  test.each(['zq', '芳王', '龘', 'ф', '+++', '\u{1f600}'])('finds nobody by %s without reading all users', async (term) => {
    expect(await search(term)).toMatchObject({ names: [], wholeTable: 0 });
  });
});
