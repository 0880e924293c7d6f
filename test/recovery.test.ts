import { randomUUID } from 'node:crypto';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call, logIn, newUser, type TestUser } from './support/http.ts';
import { embeddedUrl, newDirectory, postmaster, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';
import { connect, type Socket } from './support/socket.ts';

/** The floods here are more than the limits allow. */
const UNLIMITED = { RATE_LIMITS: 'off' };

describe('Whatever was acknowledged is still there', () => {
  let dataDir: string;
  let server: ServerProcess;
  let ann: TestUser;
  let bob: TestUser;
  const acknowledged = new Set<string>();

  beforeAll(async () => {
    dataDir = await newDirectory();
    server = await startProcess(dataDir, UNLIMITED);
    ann = await newUser(server, 'Ann');
    bob = await newUser(server, 'Bob');
  });
  afterAll(sweep);

  /** The pid of the PostgreSQL that runs on the data. */
  async function postmasterPid(): Promise<number> {
    const running = await postmaster(dataDir);
    if (!running) throw new Error('PostgreSQL does not run');
    return running.pid;
  }

  /** Sends and waits for the answer. */
  async function say(socket: Socket, content = 'Hello'): Promise<void> {
    const messageId = randomUUID();
    await socket.ask('privateMessage', { messageId, receiverId: bob.id, content });
    acknowledged.add(messageId);
  }

  /** Sends much at once on some connections, and returns them when the first answers are there and the last are not. */
  async function flood(): Promise<Socket[]> {
    const sockets = await Promise.all(Array.from({ length: 4 }, () => connect(server, ann)));
    for (const socket of sockets) {
      for (let count = 0; count < 2_000; count++) {
        const messageId = randomUUID();
        socket.send({ type: 'privateMessage', requestId: messageId, params: { messageId, receiverId: bob.id, content: 'In flight' } });
      }
    }
    await Promise.all(sockets.map((socket) => socket.until(() => true)));
    return sockets;
  }

  function acknowledge(sockets: Socket[]): void {
    for (const frame of sockets.flatMap(({ frames }) => frames)) {
      if ('success' in frame && !frame.params.isBroadcast) acknowledged.add(String(frame.requestId));
    }
  }

  /** The running server has it all, in order and without gaps, the old tokens are good, and it takes new messages. */
  async function expectEverything(): Promise<void> {
    expect((await call(server, 'GET', '/profile', { token: ann.token })).status).toBe(200);
    expect(await logIn(server, bob)).toMatchObject({ id: bob.id });
    const socket = await connect(server, ann);
    await say(socket);
    await socket.close();
    const rows = await query<{ id: string; seq: string }>(
      await embeddedUrl(dataDir),
      'SELECT id, seq FROM messages ORDER BY conversation_id, created_at',
    );
    const stored = new Set(rows.map(({ id }) => id));
    expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
    expect(rows.map(({ seq }) => Number(seq))).toEqual(rows.map((_row, index) => index + 1));
  }

  test('when the server is asked to stop in the middle of messages: it answers, closes with 1012 and exits with 0', async () => {
    const sockets = await flood();
    const closings = Promise.all(sockets.map((socket) => socket.closed()));
    expect(await server.stop()).toBe(0);
    for (const { code } of await closings) expect(code).toBe(1012);
    expect(server.stderr).toBe('');
    expect(await postmaster(dataDir)).toBeUndefined();
    acknowledge(sockets);
    server = await startProcess(dataDir, UNLIMITED);
    await expectEverything();
  });

  test('when Ctrl-C comes twice at once, from the terminal and passed on by npm: it stops in order, its PostgreSQL too', async () => {
    process.kill(server.pid, 'SIGINT');
    process.kill(server.pid, 'SIGTERM');
    expect(await server.exit()).toBe(0);
    expect(await postmaster(dataDir)).toBeUndefined();
    server = await startProcess(dataDir, UNLIMITED);
    await expectEverything();
  });

  test('when its PostgreSQL does not stop: after ten seconds the server gives up with 1, and the next one goes on', async () => {
    const pid = await postmasterPid();
    process.kill(pid, 'SIGSTOP');
    try {
      server.signal('SIGTERM');
      expect(await server.exit()).toBe(1);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const lines = server.stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    const timeOf = (wanted: string): number => lines.find(({ msg }) => msg === wanted)?.time;
    const lasted = timeOf('could not stop in time') - timeOf('stopping');
    expect(lasted).toBeGreaterThan(9_900);
    expect(lasted).toBeLessThan(15_000);
    server = await startProcess(dataDir, UNLIMITED);
    await expectEverything();
  });

  test('when the server is killed: the next one takes over the PostgreSQL that it left, also by another path to the data', async () => {
    const sockets = await flood();
    const left = await postmasterPid();
    await server.kill();
    acknowledge(sockets);
    const otherPath = path.join(await newDirectory(), 'link');
    await symlink(dataDir, otherPath);
    server = await startProcess(otherPath, UNLIMITED);
    expect(await postmasterPid()).toBe(left);
    await expectEverything();
  });

  test('when the server and its PostgreSQL are killed', async () => {
    const sockets = await flood();
    const pid = await postmasterPid();
    const closings = Promise.all(sockets.map((socket) => socket.closed()));
    process.kill(pid, 'SIGKILL');
    await server.kill();
    await closings;
    acknowledge(sockets);
    server = await startProcess(dataDir, UNLIMITED);
    expect(await postmasterPid()).not.toBe(pid);
    await expectEverything();
  });

  test('when PostgreSQL is killed under the running server, which brings it back and goes on', async () => {
    const socket = await connect(server, ann);
    await say(socket);
    const pid = await postmasterPid();
    process.kill(pid, 'SIGKILL');
    await eventually(async () => expect(await postmasterPid()).not.toBe(pid));
    await eventually(() => say(socket, 'Again'));
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
    await socket.close();
    await expectEverything();
  });

  test('when a PostgreSQL that was killed cannot be started for a while: it is tried until it can', async () => {
    const settings = path.join(dataDir, 'postgres', 'postgresql.conf');
    const right = await readFile(settings, 'utf8');
    const socket = await connect(server, ann);
    const linesBefore = server.stdout.split('\n').length;
    const begun = performance.now();
    await writeFile(settings, `${right}\nno_such_setting = on\n`);
    process.kill(await postmasterPid(), 'SIGKILL');
    await eventually(() => expect(server.stdout).toContain('cannot be started; trying again'));
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    expect(await socket.fail('privateMessage', { messageId: randomUUID(), receiverId: bob.id, content: 'Lost' })).toMatchObject({
      code: 'unavailable',
    });
    await writeFile(settings, right);
    await eventually(() => say(socket, 'Back'));
    const seconds = (performance.now() - begun) / 1000;
    expect(server.stdout.split('\n').length - linesBefore).toBeLessThan(20 + seconds);
    await socket.close();
    await expectEverything();
  });

  test.each([
    ['just after PostgreSQL was killed', 0],
    ['while it brings back a killed PostgreSQL', 1],
  ])('when the server is asked to stop %s: it exits with 0 and leaves none', async (_when, noticed) => {
    const noticing = () => server.stdout.split('starting it again').length;
    const before = noticing();
    process.kill(await postmasterPid(), 'SIGKILL');
    await vi.waitFor(() => expect(noticing()).toBeGreaterThanOrEqual(before + noticed), { timeout: 20_000, interval: 5 });
    expect(await server.stop()).toBe(0);
    expect(await postmaster(dataDir)).toBeUndefined();
    server = await startProcess(dataDir, UNLIMITED);
    await expectEverything();
  });

  test.each(['this test', 'another PostgreSQL'])('when the pid in a file left behind now belongs to %s', async (owner) => {
    const file = path.join(dataDir, 'postgres', 'postmaster.pid');
    const [, ...lines] = (await readFile(file, 'utf8')).split('\n');
    await server.stop();
    const other = new pg.Client({ connectionString: inject('databaseUrl') });
    await other.connect();
    const { rows } = await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const pid = owner === 'this test' ? process.pid : rows[0]?.pid;
    await writeFile(file, [pid, ...lines].join('\n'));
    server = await startProcess(dataDir, UNLIMITED);
    expect(await postmasterPid()).not.toBe(pid);
    await expectEverything();
    expect((await other.query('SELECT 1')).rowCount).toBe(1);
    await other.end();
  });
});
