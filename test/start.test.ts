import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { call, logIn, newUser } from './support/http.ts';
import { embeddedUrl, newDirectory, postmaster, ServerProcess, startProcess, sweep } from './support/serverProcess.ts';
import { connect } from './support/socket.ts';

/** Whether a TCP connection is accepted. */
function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: 10_000 });
    const end = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

afterAll(sweep);

describe('A server started on an empty DATA_DIR', () => {
  let dataDir: string;
  let server: ServerProcess;

  beforeAll(async () => {
    dataDir = await newDirectory();
    server = await startProcess(dataDir, { HOST: '0.0.0.0' });
  });

  test('starts, and prints where it listens, where the documentation is, where the data lies and what to try next', async () => {
    expect(server.stdout).toMatch(/Messenger is listening on (http:\/\/localhost:\d+) and (ws:\/\/localhost:\d+\/api\/ws)\n/);
    expect(server.stdout).toContain(dataDir);
    expect(server.stdout).toContain('npm run seed');
    expect(server.stderr).toBe('');
    const documentation = /API documentation +(\S+)/.exec(server.stdout)?.[1] ?? '';
    expect(await (await fetch(documentation)).text()).toContain('swagger-ui');
    const webSocket = /(ws:\S+)\/api\/ws/.exec(server.stdout)?.[1] ?? '';
    const socket = await connect({ url: webSocket.replace('ws', 'http') }, await newUser(server));
    expect(await socket.rows('listLastMessage', { limit: 1, cursorCreatedAt: null })).toEqual([]);
    await socket.close();
  });

  test('keeps its PostgreSQL on 127.0.0.1 alone', async () => {
    const { port = 0 } = (await postmaster(dataDir)) ?? {};
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []);
    expect(await accepts('127.0.0.1', port)).toBe(true);
    for (const address of new Set(['127.0.0.2', '::1', ...own])) {
      if (address !== '127.0.0.1') expect([address, await accepts(address, port)]).toEqual([address, false]);
    }
    expect(existsSync(`/tmp/.s.PGSQL.${port}`)).toBe(false);
  });

  test.each([
    ['a wrong password', 'wrong'],
    ['no password', ''],
  ])('keeps %s out of its PostgreSQL', async (_what, password) => {
    const url = new URL(await embeddedUrl(dataDir));
    const welcome = new pg.Client({ connectionString: url.href });
    await welcome.connect();
    await welcome.end();
    url.password = password;
    await expect(new pg.Client({ connectionString: url.href }).connect()).rejects.toThrow(/password/);
  });

  test.concurrent('goes on serving when a second server on its data is refused', async () => {
    const ann = await newUser(server);
    const socket = await connect(server, ann);
    const second = new ServerProcess(dataDir);
    expect(await second.exit()).toBe(1);
    expect(second.stderr).toBe(`Another server is running on the data in ${dataDir}. Stop it, or set DATA_DIR.\n`);
    expect(second.stdout).toBe('');
    await socket.ask('privateMessage', { messageId: randomUUID(), receiverId: ann.id, content: 'Still here' });
    expect(await logIn(server, ann)).toMatchObject({ id: ann.id });
    await socket.close();
  });

  test.concurrent('goes on serving when another wants its port, which exits with 1, names the port and leaves no PostgreSQL behind', async () => {
    const { port } = new URL(server.url);
    const otherDir = await newDirectory();
    const second = new ServerProcess(otherDir, { HOST: '0.0.0.0', PORT: port });
    expect(await second.exit()).toBe(1);
    expect(second.stderr).toContain(port);
    expect(second.stderr).toContain('set PORT');
    expect(second.stderr).not.toContain(' at ');
    expect(existsSync(path.join(otherDir, 'postgres'))).toBe(true);
    expect(await postmaster(otherDir)).toBeUndefined();
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });

  test.concurrent('is the only one of two started at once: one serves, and the other exits with 1 and says why', async () => {
    const dataDir = await newDirectory();
    const servers = [new ServerProcess(dataDir), new ServerProcess(dataDir)];
    const ended = await Promise.race(servers.map(async (server) => ({ code: await server.exit(), server })));
    expect(ended.code).toBe(1);
    expect(ended.server.stderr).toBe(`Another server is running on the data in ${dataDir}. Stop it, or set DATA_DIR.\n`);
    const [serving] = servers.filter((server) => server !== ended.server);
    await serving?.ready();
    expect((await call(serving ?? { url: '' }, 'GET', '/profile')).status).toBe(401);
    expect(await serving?.stop()).toBe(0);
  });

  test('removes what a start left that was killed while it made the database, and nothing of one that goes on', async () => {
    const workshopsIn = async (dataDir: string) => (await readdir(dataDir)).filter((name) => name.startsWith('postgres-new-'));
    async function killOne(): Promise<string> {
      const dataDir = await newDirectory();
      const killed = new ServerProcess(dataDir);
      await eventually(async () => expect(await readdir(dataDir)).toContainEqual(expect.stringMatching(/^postgres/)));
      await killed.kill();
      // Where this process stood still meanwhile, the database was made already.
      return (await workshopsIn(dataDir)).length > 0 ? dataDir : killOne();
    }
    const dataDir = await killOne();
    expect(await workshopsIn(dataDir)).toHaveLength(1);
    const ofAnother = `postgres-new-${process.pid}-abcdef`;
    for (const name of [ofAnother, 'postgres-new-abcdef']) await mkdir(path.join(dataDir, name));
    await startProcess(dataDir);
    expect(await workshopsIn(dataDir)).toEqual([ofAnother]);
  });

  test.concurrent('ends with 0 at a signal that comes while its database starts, and leaves no PostgreSQL', async () => {
    const dataDir = await newDirectory();
    const server = new ServerProcess(dataDir);
    await eventually(() => expect(existsSync(path.join(dataDir, 'postgres', 'postmaster.pid'))).toBe(true));
    expect(await server.stop()).toBe(0);
    expect(server.stderr).toBe('');
    expect(await postmaster(dataDir)).toBeUndefined();
  });
});
