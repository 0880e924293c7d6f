import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newDatabase, query } from './support/database.ts';
import { call, logIn } from './support/http.ts';
import { runScript, type ScriptResult } from './support/script.ts';
import { startServer } from './support/server.ts';
import { newDirectory, startProcess, sweep } from './support/serverProcess.ts';
import { connect } from './support/socket.ts';

const COUNTS = `
  SELECT (SELECT count(*) FROM users)::int AS users, (SELECT count(*) FROM conversations WHERE kind = 'group')::int AS groups,
    (SELECT count(*) FROM messages)::int AS messages`;
const STATE = `
  SELECT (SELECT array_agg(u::text ORDER BY u.id) FROM users u) AS users, (SELECT array_agg(c::text ORDER BY c.id) FROM conversations c) AS conversations,
    (SELECT count(*) FROM messages) AS messages, (SELECT max(id::text) FROM messages) AS last_id, (SELECT count(*) FROM members) AS members`;
const LOG_IN = /Log in as (\S+) to (\S+), all with the password (\S+)/;

/** The two accounts, and the password, that the seed says one can log in with. */
function accounts({ stdout }: ScriptResult): { email: string; password: string }[] {
  const [, first = '', last = '', password = ''] = LOG_IN.exec(stdout) ?? [];
  return [first, last].map((email) => ({ email, password }));
}

/** Logs in as the seed says and returns the chats. */
async function chatsOf(server: { url: string }, account: { email: string; password: string }): Promise<Record<string, unknown>[]> {
  const socket = await connect(server, await logIn(server, account));
  const rows = await socket.rows('listLastMessage', { limit: 100, cursorCreatedAt: null });
  await socket.close();
  return rows;
}

afterAll(sweep);

describe('npm run seed', () => {
  let databaseUrl: string;
  let printed: ScriptResult;

  beforeAll(async () => {
    databaseUrl = await newDatabase({ migrated: false });
    printed = await runScript('seed', [], { DATABASE_URL: databaseUrl });
  });

  test('makes 20 people, 30 groups and thousands of messages on an empty database, and says so', async () => {
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    const [counts] = await query<{ users: number; groups: number; messages: number }>(databaseUrl, COUNTS);
    expect(counts).toMatchObject({ users: 20, groups: 30 });
    expect(counts?.messages).toBeGreaterThan(2_000);
    expect(printed.stdout).toContain(`Made 20 users, 30 groups and ${counts?.messages} messages.`);
  });

  test('spreads what was said over the past days, and puts nothing into the future', async () => {
    const [times] = await query<{ days: number; future: number }>(
      databaseUrl,
      `SELECT count(DISTINCT created_at::date)::int AS days, (count(*) FILTER (WHERE created_at > now()))::int AS future FROM messages`,
    );
    expect(times?.days).toBeGreaterThanOrEqual(6);
    expect(times?.future).toBe(0);
  });

  test('leaves conversations as the server itself would have: numbered without gaps, in order of time, and in step with their last message', async () => {
    const [wrong] = await query(
      databaseUrl,
      `WITH numbered AS (
        SELECT *, row_number() OVER talk AS place, lag(created_at) OVER talk AS previous FROM messages
        WINDOW talk AS (PARTITION BY conversation_id ORDER BY seq)
      ), last AS (
        SELECT conversation_id, max(seq) AS seq, max(rev) AS rev, max(created_at) AS at FROM messages GROUP BY conversation_id
      )
      SELECT (SELECT count(*)::int FROM numbered WHERE seq <> place OR rev <> place) AS gaps,
        (SELECT count(*)::int FROM numbered WHERE created_at <= previous) AS disorder,
        (SELECT count(*)::int FROM conversations c LEFT JOIN last ON last.conversation_id = c.id
          WHERE (c.last_seq, c.last_rev, c.last_message_at) IS DISTINCT FROM (last.seq, last.rev, last.at)) AS out_of_step,
        (SELECT count(*)::int FROM messages m WHERE NOT EXISTS (
          SELECT FROM members WHERE conversation_id = m.conversation_id AND user_id = m.sender_id)) AS strangers,
        (SELECT count(*)::int FROM conversations c WHERE kind = 'group' AND 1 <> (
          SELECT count(*) FROM members WHERE conversation_id = c.id AND role = 'owner')) AS ownerless,
        (SELECT count(*)::int FROM conversations c WHERE kind = 'group' AND member_count <> (
          SELECT count(*) FROM members WHERE conversation_id = c.id)) AS miscounted,
        (SELECT count(*)::int FROM messages said JOIN members m ON m.conversation_id = said.conversation_id AND m.user_id = said.sender_id
          JOIN conversations c ON c.id = m.conversation_id
          WHERE said.seq > CASE WHEN kind = 'group' THEN m.read_seq WHEN m.user_id <= m.companion_id THEN c.lower_sent_seq
            ELSE c.higher_sent_seq END) AS own_unread`,
    );
    expect(wrong).toEqual({ gaps: 0, disorder: 0, out_of_step: 0, strangers: 0, ownerless: 0, miscounted: 0, own_unread: 0 });
  });

  test('makes accounts that can log in as it says, see dialogs and groups, find people and write', async () => {
    const server = await startServer({}, databaseUrl);
    for (const account of accounts(printed)) {
      const chats = await chatsOf(server, account);
      expect(chats.some(({ groupName }) => groupName !== null)).toBe(true);
      expect(chats.some(({ receiverId }) => receiverId !== null)).toBe(true);
    }
    const [first = { email: '', password: '' }] = accounts(printed);
    const { id, token } = await logIn(server, first);
    expect((await call(server, 'GET', '/search?searchText=elodie', { token })).body).toMatchObject({ data: [{ firstName: 'Élodie' }] });
    const socket = await connect(server, { token });
    const [dialog] = (await chatsOf(server, first)).filter(({ receiverId }) => receiverId !== null);
    const companionId = dialog?.receiverId === id ? dialog.senderId : dialog?.receiverId;
    const request = { receiverId: companionId, limit: 100, cursorCreatedAt: null };
    const before = await socket.rows('getlatestMessageDialog', request);
    expect(before[0]).toMatchObject({ messageId: dialog?.messageId });
    await socket.ask('privateMessage', { messageId: randomUUID(), receiverId: companionId, content: 'Go on' });
    expect(await socket.rows('getlatestMessageDialog', request)).toMatchObject([{ content: 'Go on' }, ...before]);
    await server.app.stop();
  });

  test('changes nothing when it is run again', async () => {
    const before = await query(databaseUrl, STATE);
    const again = await runScript('seed', [], { DATABASE_URL: databaseUrl });
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(accounts(again)).toEqual(accounts(printed));
    expect(await query(databaseUrl, STATE)).toEqual(before);
  });

  test('in production does nothing until it is forced', async () => {
    const production = { NODE_ENV: 'production', JWT_SECRET: 'kX3vQ9wLz7Rt2Yb8Nc5Hm1Jd4Fg6Ps0A' };
    const empty = await newDatabase({ migrated: false });
    const refused = await runScript('seed', [], { ...production, DATABASE_URL: empty });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('npm run seed -- --force');
    expect(await query(empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([]);
    const forced = await runScript('seed', ['--force'], { ...production, DATABASE_URL: databaseUrl });
    expect(forced).toMatchObject({ code: 0, stderr: '' });
    expect(accounts(forced)).toEqual(accounts(printed));
  });

  test('fills the embedded database beside the server that runs on it, and leaves both running', async () => {
    const dataDir = await newDirectory();
    const server = await startProcess(dataDir);
    const result = await runScript('seed', [], { DATA_DIR: dataDir });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    for (const account of accounts(result)) expect((await chatsOf(server, account)).length).toBeGreaterThan(3);
    expect(server.stdout).not.toContain('starting it again');
    expect(await server.stop()).toBe(0);
  });
});
