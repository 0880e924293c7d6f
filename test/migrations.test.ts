import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createMigrator, migrate, withMigrationLock } from '../src/db/migrator.ts';
import { Database } from '../src/db/sequelize.ts';
import { emoji } from '../src/features/reactions/emoji.ts';
import { newDatabase, query } from './support/database.ts';
import { call, logIn, newUser } from './support/http.ts';
import { NEWEST, newCircle, newPerson, type Person, write } from './support/people.ts';
import { runScript } from './support/script.ts';
import { startServer, type TestServer } from './support/server.ts';
import { newDirectory, sweep } from './support/serverProcess.ts';
import { connect } from './support/socket.ts';
import { Talk } from './support/talks.ts';

const NAMES = 'SELECT name FROM migrations ORDER BY name';
const SCHEMA = `
  SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'
  UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  ORDER BY 1, 2, 3`;

afterAll(sweep);

test('Ten servers that start at once on one empty database all come up, each migration runs once, and they serve the same accounts', async () => {
  const databaseUrl = await newDatabase({ migrated: false });
  const servers = await Promise.all(Array.from({ length: 10 }, () => startServer({}, databaseUrl)));
  const names = await query<{ name: string }>(databaseUrl, NAMES);
  expect(names.length).toBeGreaterThan(0);
  expect(new Set(names.map(({ name }) => name)).size).toBe(names.length);
  expect(await query(databaseUrl, SCHEMA)).toEqual(await query(await newDatabase(), SCHEMA));
  const [first] = servers;
  const ann = await newUser(first ?? { url: '' });
  for (const server of servers) {
    expect((await call(server, 'GET', '/profile', { token: ann.token })).body).toMatchObject({ data: { id: ann.id } });
    expect(await logIn(server, ann)).toMatchObject({ id: ann.id });
  }
  await Promise.all(servers.map(({ app }) => app.stop()));
});

test('A start waits for the migrations of another server for as long as they take, also where the role has a time limit', async () => {
  const databaseUrl = await newDatabase({ migrated: false });
  await query(databaseUrl, `ALTER DATABASE ${new URL(databaseUrl).pathname.slice(1)} SET statement_timeout = 200`);
  const database = new Database(databaseUrl);
  let starting: Promise<TestServer> | undefined;
  await withMigrationLock(database, async (transaction) => {
    starting = startServer({}, databaseUrl);
    await database.query('SELECT pg_sleep(1)', { transaction });
  });
  await (await starting)?.app.stop();
  await database.close();
});

test('Every migration can be taken back: down to nothing and up again gives the same schema', async () => {
  const databaseUrl = await newDatabase();
  const schema = await query(databaseUrl, SCHEMA);
  const database = new Database(databaseUrl);
  await withMigrationLock(database, async (transaction) => (await createMigrator(database, transaction)).down({ to: 0 }));
  expect(await query(databaseUrl, NAMES)).toEqual([]);
  expect(await query(databaseUrl, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).toEqual([{ tablename: 'migrations' }]);
  await migrate(database);
  expect(await query(databaseUrl, SCHEMA)).toEqual(schema);
  await database.close();
});

test('What was there before anybody kept marks has been read, and groups know how many are in them', async () => {
  const databaseUrl = await newDatabase();
  const before = await startServer({}, databaseUrl);
  const [ann, bob] = [await newPerson(before), await newPerson(before)];
  await newCircle(before, [ann, bob]);
  for (const content of ['Hello', 'Are you there?']) await write(ann, bob, content);
  const group = (await bob.socket.rows('listLastMessage', NEWEST)).find(({ groupId }) => groupId !== null);
  expect(group).toMatchObject({ unreadCount: 1, memberCount: 2 });
  await before.app.stop();
  const database = new Database(databaseUrl);
  const down = { to: '0006-reading-and-answering' };
  await withMigrationLock(database, async (transaction) => (await createMigrator(database, transaction)).down(down));
  await database.close();
  const after = await startServer({}, databaseUrl);
  const socket = await connect(after, bob);
  const rows = await socket.rows('listLastMessage', NEWEST);
  expect(rows.map(({ unreadCount, memberCount }) => ({ unreadCount, memberCount }))).toEqual([
    { unreadCount: 0, memberCount: null },
    { unreadCount: 0, memberCount: 2 },
  ]);
  await after.app.stop();
});

test('Reactions that were two to the server and look like one fall together, and every emoji gets the form that it has from then on', async () => {
  const databaseUrl = await newDatabase();
  const server = await startServer({}, databaseUrl);
  const [ann, bob, eve] = [await newPerson(server), await newPerson(server), await newPerson(server)];
  const talk = await Talk.begin(server, 'group', [ann, bob]);
  const [both, every, other] = [await talk.say(ann, 'Both'), await talk.say(ann, 'Every'), await talk.say(ann, 'Other')];
  await talk.ask(ann, 'addReaction', other, { emoji: '👍' });
  const react = async (messageId: string, given: [Person, string][]) => {
    const emojis = [...new Set(given.map(([, emoji]) => emoji))];
    const counts = emojis.map((emoji) => ({ emoji, count: given.filter(([, one]) => one === emoji).length }));
    await query(
      databaseUrl,
      `WITH given AS (
         INSERT INTO reactions (conversation_id, message_id, user_id, emoji) SELECT $1, $2, * FROM unnest($3::uuid[], $4::text[])
       ) UPDATE messages SET reactions = $5 WHERE conversation_id = $1 AND id = $2`,
      [talk.groupId, messageId, given.map(([{ id }]) => id), given.map(([, emoji]) => emoji), JSON.stringify(counts)],
    );
  };
  const plain = ['❤', '❤\u200d🔥', '#\u20e3', '👁\u200d🗨', '⛹🏿\u200d♂', '👍\ufe0f'];
  const pictures = Array.from({ length: 0x1fb00 }, (_, code) => String.fromCodePoint(code)).filter((one) => emoji.safeParse(one).success);
  await react(both, [
    [ann, '😀'],
    [ann, '❤'],
    [bob, '👍'],
    [ann, '❤️'],
    [bob, '❤'],
    [eve, '❤️'],
  ]);
  const all = [...new Set([...plain, ...pictures])];
  await react(
    every,
    all.map((one) => [ann, one]),
  );
  await server.app.stop();

  const database = new Database(databaseUrl);
  const down = { to: '0009-one-form-of-an-emoji' };
  await withMigrationLock(database, async (transaction) => (await createMigrator(database, transaction)).down(down));
  await migrate(database);
  await database.close();
  const stored = 'SELECT emoji FROM reactions WHERE message_id = $1';
  const forms = (await query<{ emoji: string }>(databaseUrl, stored, [every])).map((one) => one.emoji);
  const expected = new Set(all.map((one) => emoji.parse(one)));
  expect({ forms: new Set(forms), count: forms.length }).toEqual({ forms: expected, count: expected.size });
  const counts = await query(databaseUrl, 'SELECT id, reactions FROM messages WHERE id = ANY ($1) ORDER BY seq', [[both, other]]);
  expect(counts).toEqual([
    {
      id: both,
      reactions: [
        { emoji: '😀', count: 1 },
        { emoji: '❤️', count: 3 },
        { emoji: '👍', count: 1 },
      ],
    },
    { id: other, reactions: [{ emoji: '👍', count: 1 }] },
  ]);
  expect(await query(databaseUrl, 'SELECT FROM reactions WHERE message_id = $1', [both])).toHaveLength(5);
});

describe.concurrent('npm run migrate', () => {
  test('with up, down, status and up again leads to a schema that a server works on, and says what it did', async () => {
    const databaseUrl = await newDatabase({ migrated: false });
    const run = (action: string) => runScript('migrate', [action], { DATABASE_URL: databaseUrl });
    const { code, stdout, stderr } = await run('up');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^(up: \S+\n)+$/);
    const names = stdout.match(/\d{4}-\S+/g) ?? [];
    const last = names.at(-1) ?? '';
    const schema = await query(databaseUrl, SCHEMA);
    expect(await run('down')).toEqual({ code: 0, stdout: `down: ${last}\n`, stderr: '' });
    const executed = names.slice(0, -1).map((name) => `up       ${name}\n`);
    expect(await run('status')).toEqual({ code: 0, stdout: `${executed.join('')}pending  ${last}\n`, stderr: '' });
    expect(await run('up')).toEqual({ code: 0, stdout: `up: ${last}\n`, stderr: '' });
    expect(await query(databaseUrl, SCHEMA)).toEqual(schema);

    const server = await startServer({}, databaseUrl);
    const ann = await newUser(server);
    const socket = await connect(server, ann);
    await socket.ask('privateMessage', { messageId: randomUUID(), receiverId: ann.id, content: 'Works' });
    await server.app.stop();
  });

  test('with another action ends with 1 and shows how it is used', async () => {
    const { code, stdout, stderr } = await runScript('migrate', ['sideways'], { DATABASE_URL: await newDatabase() });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Usage: npm run migrate -- up \| down \| status\n/);
  });

  test('works on the embedded database without a server, and does not leave it running', async () => {
    const dataDir = await newDirectory();
    const { code, stdout, stderr } = await runScript('migrate', ['up'], { DATA_DIR: dataDir });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^(up: \S+\n)+$/);
    expect(existsSync(path.join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  });
});
