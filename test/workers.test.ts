import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newDatabase, query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { logIn, type TestUser } from './support/http.ts';
import { METRICS_TOKEN, scrape } from './support/metrics.ts';
import { newPerson, type Person, write } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { embeddedUrl, newDirectory, postmaster, ServerProcess, startProcess, sweep } from './support/serverProcess.ts';
import { connect } from './support/socket.ts';

const COUNT = 3;

afterAll(sweep);

const lines = (server: ServerProcess): Record<string, unknown>[] =>
  server.stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));

/** The process that a person's connection was opened in. */
function pidOf(server: ServerProcess, { id }: TestUser): number {
  const pid = lines(server).find(({ userId, connectionId }) => userId === id && connectionId !== undefined)?.pid;
  if (typeof pid !== 'number') throw new Error('no line about this connection');
  return pid;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The values of one metric, one for each worker. */
async function perWorker(server: ServerProcess, name: string): Promise<number[]> {
  const values = Object.entries(await scrape(server)).filter(([series]) => series.startsWith(`${name}{`));
  expect(values.map(([series]) => series)).toEqual(values.map(() => expect.stringMatching(/[{,]worker="\d+"}$/)));
  return values.map(([, value]) => value);
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

describe.skipIf(!isRedisInstalled)('Several workers', () => {
  let redis: RedisServer;
  let dataDir: string;
  let server: ServerProcess;
  let people: Person[];
  /** The workers that people are connected to. */
  let pids: number[];

  const start = async () => {
    const variables = { WORKERS: `${COUNT}`, REDIS_URL: redis.url, RATE_LIMITS: 'off', METRICS_TOKEN };
    server = await startProcess(dataDir, variables);
  };
  /** Connects people until every worker has some. */
  const fill = async () => {
    people = [];
    const found = new Set<number>();
    while (found.size < COUNT) {
      const person = await newPerson(server);
      people.push(person);
      found.add(await eventually(() => pidOf(server, person)));
    }
    pids = [...found];
  };
  const peopleOf = (pid: number | undefined) => people.filter((person) => pidOf(server, person) === pid);
  const expectNobodyLeft = () => eventually(() => expect([server.pid, ...pids].filter(isAlive)).toEqual([]));

  beforeAll(async () => {
    redis = await RedisServer.start();
    dataDir = await newDirectory();
    await start();
    await fill();
  });
  afterAll(() => redis.stop());

  test('serve one port of an empty database, each its share of the connections, and say once that they do', async () => {
    expect(server.stdout.match(/Messenger is listening/g)).toHaveLength(1);
    expect(server.stdout).toContain(dataDir);
    expect(server.stderr).toBe('');
    expect(pids).not.toContain(server.pid);
    const [[ann], [bob]] = [peopleOf(pids[0]), peopleOf(pids[1])];
    if (!ann || !bob) throw new Error('nobody is connected there');
    await write(ann, bob, 'Hello');
    expect(await bob.socket.broadcast('privateMessage')).toMatchObject({ message: 'Hello' });
    const shares = Array.from({ length: 4 * COUNT }, () => newPerson(server));
    for (const { socket } of await Promise.all(shares)) await socket.close();
    for (const opened of await perWorker(server, 'messenger_connections_opened_total')) expect(opened).toBeGreaterThan(2);
  });

  test('find a connection to the embedded database each, whatever the others have opened', async () => {
    const [limit] = await query(await embeddedUrl(dataDir), "SELECT current_setting('max_connections')::integer AS connections");
    expect(limit?.connections).toBe(100 + (COUNT - 1) * 22);
  });

  test('answer with the metrics of all, whichever is asked', async () => {
    const connections = async () => sum(await perWorker(server, 'messenger_connections'));
    await eventually(async () => expect(await connections()).toBe(people.length));
    for (let time = 0; time < 2 * COUNT; time++) expect(await connections()).toBe(people.length);
    expect(await perWorker(server, 'messenger_database_reachable')).toEqual([1, 1, 1]);
    expect(await perWorker(server, 'process_start_time_seconds')).toHaveLength(COUNT);
    for (const lag of await perWorker(server, 'nodejs_eventloop_lag_p99_seconds')) expect(lag).toBeLessThan(10);
  });

  test('answer with the metrics of the others while one of them hangs', async () => {
    const [hanging = 0] = pids;
    // Each on a connection of its own.
    const options = { agent: false, headers: { authorization: `Bearer ${METRICS_TOKEN}` } };
    const ask = async () => {
      const [response] = await once(get(`${server.url}/metrics`, options), 'response');
      return (await text(response)).match(/^messenger_connections{/gm);
    };
    process.kill(hanging, 'SIGSTOP');
    try {
      // The one that hangs may be given a question too, and is given no more before it has taken that.
      await eventually(async () => expect(await Promise.any([ask(), ask()])).toHaveLength(COUNT - 1));
    } finally {
      process.kill(hanging, 'SIGCONT');
    }
    await eventually(async () => expect(await perWorker(server, 'messenger_connections')).toHaveLength(COUNT));
  });

  test('go on when one is killed: the clients of the others notice nothing, and another one takes its place', async () => {
    const [killed = 0, ...others] = pids;
    const closings = Promise.all(peopleOf(killed).map(({ socket }) => socket.closed()));
    process.kill(killed, 'SIGKILL');
    for (const { code } of await closings) expect(code).toBe(1006);
    for (const person of others.flatMap(peopleOf)) await write(person, person, 'Hello');
    const [ann] = peopleOf(killed);
    if (!ann) throw new Error('nobody was connected there');
    await (await connect(server, ann)).close();
    await eventually(async () => expect(await perWorker(server, 'messenger_connections')).toHaveLength(COUNT));
    expect(lines(server)).toContainEqual(expect.objectContaining({ pid: server.pid, workerPid: killed, signal: 'SIGKILL', wait: 1_000 }));
    const [place] = lines(server).filter(({ workerPid }) => workerPid === killed);
    await eventually(() => {
      const next = lines(server).filter(({ worker, workerPid }) => worker === place?.worker && workerPid !== killed);
      expect(next).toHaveLength(1);
    });
    expect(await logIn(server, ann)).toMatchObject({ id: ann.id });
  });

  test('wait longer with each that dies in a row', async () => {
    const deaths = () => lines(server).filter(({ wait }) => wait !== undefined);
    const [first] = deaths();
    const ofPlace = () => deaths().filter(({ worker }) => worker === first?.worker);
    const next = lines(server).find(({ worker, workerPid }) => worker === first?.worker && workerPid !== first?.workerPid);
    process.kill(Number(next?.workerPid), 'SIGKILL');
    await eventually(() => expect(ofPlace().map(({ wait }) => wait)).toEqual([1_000, 2_000]));
  });

  test('stop in order and in time at SIGTERM, and their database after them', async () => {
    await fill();
    const closings = Promise.all(people.map(({ socket }) => socket.closed()));
    // Not in time, it would be 1.
    expect(await server.stop()).toBe(0);
    for (const { code } of await closings) expect(code).toBe(1012);
    expect(server.stderr).toBe('');
    await expectNobodyLeft();
    expect(await postmaster(dataDir)).toBeUndefined();
  });

  test('stop in order at Ctrl-C, which the terminal sends to each of them', async () => {
    await start();
    await fill();
    for (const pid of [...pids, server.pid]) process.kill(pid, 'SIGINT');
    expect(await server.exit()).toBe(0);
    await expectNobodyLeft();
    expect(await postmaster(dataDir)).toBeUndefined();
  });

  test('stop in order while nobody has taken the place of one that was killed', async () => {
    await start();
    await fill();
    const [killed = 0] = pids;
    process.kill(killed, 'SIGKILL');
    const death = () => lines(server).filter(({ workerPid, wait }) => workerPid === killed && wait !== undefined);
    await eventually(() => expect(death()).toHaveLength(1));
    expect(await server.stop()).toBe(0);
    await expectNobodyLeft();
  });

  test('stop in order when their primary is killed; the next one takes over the database that it left', async () => {
    await start();
    await fill();
    const left = await postmaster(dataDir);
    const closings = Promise.all(people.map(({ socket }) => socket.closed()));
    // Resolves when nobody holds its output any more.
    await server.kill();
    for (const { code } of await closings) expect(code).toBe(1012);
    await expectNobodyLeft();
    const [ann] = people;
    await start();
    expect(await postmaster(dataDir)).toEqual(left);
    if (ann) expect(await logIn(server, ann)).toMatchObject({ id: ann.id });
  });

  test('end at once with 1 at a second signal, although one of them hangs', async () => {
    await fill();
    const [hanging = 0] = pids;
    process.kill(hanging, 'SIGSTOP');
    server.signal('SIGTERM');
    const stopped = () => lines(server).filter(({ msg }) => msg === 'stopped');
    await eventually(() => expect(stopped()).toHaveLength(COUNT - 1));
    const [{ time } = { time: 0 }] = lines(server).filter(({ msg }) => msg === 'stopping');
    // Sooner it would count as the echo of the first.
    await eventually(() => expect(Date.now() - Number(time)).toBeGreaterThan(600));
    server.signal('SIGTERM');
    expect(await server.exit()).toBe(1);
    await expectNobodyLeft();
  });

  test('end as one process does when another program has their port: with 1 and the reason, said once, and no database left', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const otherDir = await newDirectory();
    const port = Object(other.address()).port;
    const second = new ServerProcess(otherDir, { WORKERS: `${COUNT}`, REDIS_URL: redis.url, PORT: `${port}` });
    expect(await second.exit()).toBe(1);
    expect(second.stderr).toMatch(/^The server cannot listen on [^\n]* or set PORT or HOST\.\n\(bind EADDRINUSE [^\n]*\)\n$/);
    expect(second.stdout).not.toContain('Messenger is listening');
    expect(await postmaster(otherDir)).toBeUndefined();
    other.close();
  });

  test('end as one process does when their database cannot be reached', async () => {
    const DATABASE_URL = 'postgres://nobody:secret@127.0.0.1:1/none';
    const second = new ServerProcess(dataDir, { WORKERS: `${COUNT}`, REDIS_URL: redis.url, DATABASE_URL });
    expect(await second.exit()).toBe(1);
    expect(second.stderr).toMatch(/^The database of DATABASE_URL cannot be used: .*127\.0\.0\.1:1\n$/);
  });
});

test('More than one worker without a Redis is refused before anything is started', async () => {
  const dataDir = await newDirectory();
  const server = new ServerProcess(dataDir, { WORKERS: '2' });
  expect(await server.exit()).toBe(1);
  expect(server.stdout).toBe('');
  expect(server.stderr).toMatch(/^WORKERS needs REDIS_URL, because it asks for 2 processes.*\n$/);
  expect(existsSync(path.join(dataDir, 'postgres'))).toBe(false);
});

test('One worker is one process, as without the variable', async () => {
  const server = await startProcess(await newDirectory(), { WORKERS: '1', DATABASE_URL: await newDatabase(), METRICS_TOKEN });
  const ann = await newPerson(server);
  await write(ann, ann, 'Hello');
  expect(pidOf(server, ann)).toBe(server.pid);
  expect(await scrape(server)).toMatchObject({ messenger_connections: 1 });
  expect(await server.stop()).toBe(0);
});
