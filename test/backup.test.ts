import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { query, withDatabase } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call, logIn } from './support/http.ts';
import { block, section } from './support/markdown.ts';
import { add, heard, newCircle, newPerson, type Person, readAll, write, writeToGroup } from './support/people.ts';
import { isPostgres15Installed, type Postgres15, startPostgres15 } from './support/postgres15.ts';
import { POSTGRES_15_PROGRAMS } from './support/programs.ts';
import { newDirectory, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';
import { connect } from './support/socket.ts';

const exec = promisify(execFile);
const page = await readFile('docs/operations.md', 'utf8');

/** Runs the commands that the page gives under a heading. */
function follow(heading: string, variables: Record<string, string>): Promise<unknown> {
  const PATH = `${POSTGRES_15_PROGRAMS}:${process.env.PATH}`;
  return exec('bash', ['-euc', block(section(page, heading), 'sh')], { env: { ...process.env, ...variables, PATH } });
}

/** People with a history: what was acknowledged to them must be in every backup that is begun afterwards. */
interface Circle {
  ann: Person;
  bob: Person;
  groupId: string;
  /** The ids of the messages that were acknowledged, in the dialog and in the group. */
  inDialog: string[];
  inGroup: string[];
}

async function newHistory(server: ServerProcess): Promise<Circle> {
  const [ann, bob] = [await newPerson(server, 'Ann'), await newPerson(server, 'Bob')];
  const circle: Circle = { ann, bob, groupId: await newCircle(server, [ann, bob], 'Friends'), inDialog: [], inGroup: [] };
  for (let count = 0; count < 10; count++) await send(circle);
  return circle;
}

/** Sends one message to the dialog and one to the group, and notes them when they are acknowledged. */
async function send({ ann, bob, groupId, inDialog, inGroup }: Circle): Promise<void> {
  const [messageId, groupMessageId] = [randomUUID(), randomUUID()];
  await Promise.all([
    write(ann, bob, 'Hello', messageId).then(() => inDialog.push(messageId)),
    writeToGroup(bob, groupId, 'Hello', groupMessageId).then(() => inGroup.push(groupMessageId)),
  ]);
}

/** The server has accounts, tokens and acknowledged messages, and new messages, members and people come to what is there. */
async function expectEverything(server: ServerProcess, before: Circle): Promise<void> {
  const { groupId, inDialog, inGroup } = before;
  expect(await logIn(server, before.bob)).toMatchObject({ id: before.bob.id });
  const [ann, bob, eve] = [await reconnect(server, before.ann), await reconnect(server, before.bob), await newPerson(server, 'Eve')];
  const found = await call(server, 'GET', `/search?searchText=${before.bob.email}`, { token: ann.token });
  expect(found.body).toMatchObject({ data: [{ userId: bob.id }] });

  await write(ann, bob, 'A new one');
  await add(ann, groupId, eve);
  await writeToGroup(eve, groupId, 'A new one');
  expect(await heard(bob, 'privateMessage')).toMatchObject([{ message: 'A new one' }]);
  expect(await heard(ann, 'messageInGroup')).toMatchObject([{ message: 'A new one', senderId: eve.id }]);

  const dialog = await readAll(bob, 'getlatestMessageDialog', { receiverId: ann.id });
  expect(dialog[0]).toMatchObject({ content: 'A new one' });
  expect(dialog.map(({ messageId }) => messageId)).toEqual(expect.arrayContaining(inDialog));
  const group = await readAll(bob, 'getlatestMessageGroup', { groupId });
  expect(group[0]).toMatchObject({ content: 'A new one' });
  expect(group.map(({ messageId }) => messageId)).toEqual(expect.arrayContaining(inGroup));
}

async function reconnect(server: ServerProcess, person: Person): Promise<Person> {
  return { ...person, socket: await connect(server, person) };
}

// Servers, dumps and copies take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

afterAll(sweep);

test('The embedded database: refuses to be copied while it runs; after a stop, accounts, messages and tokens work on the copy', async () => {
  const DATA_DIR = await newDirectory();
  const BACKUP = path.join(await newDirectory(), 'backup.tar.gz');
  const server = await startProcess(DATA_DIR, { RATE_LIMITS: 'off' });
  const before = await newHistory(server);
  await expect(follow('Back up the embedded database', { DATA_DIR, BACKUP })).rejects.toThrow();
  expect(existsSync(BACKUP)).toBe(false);

  expect(await server.stop()).toBe(0);
  await follow('Back up the embedded database', { DATA_DIR, BACKUP });
  expect((await stat(BACKUP)).mode & 0o777).toBe(0o600);
  const restored = path.join(await newDirectory(), 'data');
  await follow('Restore the embedded database', { DATA_DIR: restored, BACKUP });
  await expectEverything(await startProcess(restored, { RATE_LIMITS: 'off' }), before);
});

describe.skipIf(!isPostgres15Installed)('On a PostgreSQL 15 of the operator, prepared as the page says', () => {
  const variables = { NODE_ENV: 'production', RATE_LIMITS: 'off', JWT_SECRET: randomUUID() };
  let postgres: Postgres15;
  let DATABASE_URL: string;
  let server: ServerProcess;
  beforeAll(async () => {
    postgres = await startPostgres15();
    await follow('Prepare a PostgreSQL server', { ADMIN_URL: postgres.url, POSTGRES_PASSWORD: 'a password' });
    DATABASE_URL = withDatabase(postgres.url.replace('postgres@', 'messenger@'), 'messenger');
    server = await startProcess(await newDirectory(), { ...variables, DATABASE_URL });
  });
  afterAll(async () => {
    await sweep();
    await postgres.stop();
  });

  test('the server registers, sends, pages, searches and keeps groups', async () => {
    expect(await query(DATABASE_URL, 'SHOW server_version')).toMatchObject([{ server_version: expect.stringMatching(/^15\./) }]);
    await expectEverything(server, await newHistory(server));
  });

  test('a dump that is taken under load restores to a database with all that was acknowledged before, without a gap, and it serves', async () => {
    const circles = await Promise.all(Array.from({ length: 4 }, () => newHistory(server)));
    let loaded = true;
    const load = circles.map(async (circle) => {
      while (loaded) await send(circle);
    });
    const count = () => circles.reduce((sum, { inDialog, inGroup }) => sum + inDialog.length + inGroup.length, 0);
    await eventually(() => expect(count()).toBeGreaterThan(500));

    const before = circles.map((circle) => ({ ...circle, inDialog: [...circle.inDialog], inGroup: [...circle.inGroup] }));
    const countBefore = count();
    const BACKUP = path.join(await newDirectory(), 'backup.dump');
    await follow('Back up a PostgreSQL server', { DATABASE_URL, BACKUP }).finally(() => {
      loaded = false;
    });
    expect(count()).toBeGreaterThan(countBefore);
    await Promise.all(load);
    expect((await stat(BACKUP)).mode & 0o777).toBe(0o600);

    const restored = withDatabase(DATABASE_URL, 'messenger_restored');
    await follow('Restore a PostgreSQL server', { ADMIN_URL: postgres.url, NAME: 'messenger_restored', RESTORED_URL: restored, BACKUP });
    const copy = await startProcess(await newDirectory(), { ...variables, DATABASE_URL: restored });
    for (const circle of before) await expectEverything(copy, circle);
    const broken = `
      SELECT c.id FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id GROUP BY c.id
      HAVING count(*) <> c.last_seq OR count(DISTINCT m.seq) <> c.last_seq OR max(m.seq) <> c.last_seq OR max(m.created_at) <> c.last_message_at`;
    expect(await query(restored, broken)).toEqual([]);
  });
});
