import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../src/lib/freePort.ts';
import { newDatabase } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { type Haproxy, IDLE_TIMEOUT, isHaproxyInstalled, startHaproxy } from './support/haproxy.ts';
import { call } from './support/http.ts';
import { METRICS_TOKEN, scrape } from './support/metrics.ts';
import { newPerson, type Person, write } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { newDirectory, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';
import { connect } from './support/socket.ts';

afterAll(sweep);

describe.skipIf(!isHaproxyInstalled || !isRedisInstalled)('With proxy/haproxy.cfg in front of two servers', () => {
  let redis: RedisServer;
  let ports: [number, number];
  let variables: Record<string, string>;
  let servers: [ServerProcess, ServerProcess];
  let proxy: Haproxy;

  const start = async (port: number) => startProcess(await newDirectory(), { ...variables, PORT: `${port}` });

  const readiness = async () => (await fetch(`${proxy.url}/health/ready`)).status;
  const connectionsOf = async (server: ServerProcess) => (await scrape(server)).messenger_connections;

  beforeAll(async () => {
    redis = await RedisServer.start();
    variables = {
      DATABASE_URL: await newDatabase(),
      REDIS_URL: redis.url,
      JWT_SECRET: 'one secret for both servers, as it has to be',
      TRUST_PROXY: '1',
      PING_INTERVAL: '1s',
      RATE_LIMITS: 'off',
      METRICS_TOKEN,
    };
    ports = [await freePort(), await freePort()];
    servers = await Promise.all([start(ports[0]), start(ports[1])]);
    proxy = await startHaproxy(ports);
  });
  afterAll(async () => {
    await proxy.stop();
    await sweep();
    await redis.stop();
  });

  test('WebSockets are shared out between the servers, whoever logged in where', async () => {
    const people: Person[] = [];
    for (let count = 0; count < 6; count++) people.push(await newPerson(proxy));
    await eventually(async () => expect([await connectionsOf(servers[0]), await connectionsOf(servers[1])]).toEqual([3, 3]));
    for (const person of people) await write(person, person, 'Hello');
    await Promise.all(people.map(({ socket }) => socket.close()));
  });

  test('a WebSocket that is quiet for longer than the proxy waits is kept open by the pings', async () => {
    const ann = await newPerson(proxy);
    const begun = Date.now();
    await eventually(() => expect(Date.now() - begun).toBeGreaterThan(2 * IDLE_TIMEOUT));
    await write(ann, ann, 'Hello');
    await ann.socket.close();
  });

  test('a body and a message that are too large are refused by the server, and the client reads so', async () => {
    const body = { firstName: 'x'.repeat(1_000_000) };
    expect(await call(proxy, 'POST', '/auth/register', { body })).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    const ann = await newPerson(proxy);
    const closed = ann.socket.closed();
    ann.socket.send('x'.repeat(1_000_000));
    expect((await closed).code).toBe(1009);
  });

  test('metrics are not shown', async () => {
    await expect(scrape(proxy)).rejects.toThrow('404');
  });

  test('nobody notices a stop but the clients of that server, who come back at once; then it is asked no more until it is ready', async () => {
    const people: Person[] = [];
    for (let count = 0; count < 6; count++) people.push(await newPerson(proxy));
    const returns = people.map(async (person) => {
      const { code } = await person.socket.closed();
      return { code, socket: await connect(proxy, person) };
    });
    let isStopped = false;
    const statuses = (async () => {
      const seen = new Set<number>();
      while (!isStopped) seen.add(await readiness());
      return [...seen];
    })();
    expect(await servers[0].stop()).toBe(0);
    isStopped = true;
    // A request that reaches the server in the moment in which it begins to stop is told so.
    for (const status of await statuses) expect([200, 503]).toContain(status);
    await eventually(async () => expect(await connectionsOf(servers[1])).toBe(6));
    for (let count = 0; count < 20; count++) expect(await readiness()).toBe(200);
    servers[0] = await start(ports[0]);
    await eventually(async () => {
      await newPerson(proxy);
      expect(await connectionsOf(servers[0])).toBeGreaterThan(2);
    });
    await servers[1].stop();
    for (const { code } of await Promise.all(returns)) expect(code).toBe(1012);
    servers[1] = await start(ports[1]);
  });

  test('new connections go to the other server while one hangs', async () => {
    process.kill(servers[0].pid, 'SIGSTOP');
    try {
      await eventually(async () => {
        for (let count = 0; count < 4; count++) {
          const { status } = await fetch(`${proxy.url}/health/ready`, { signal: AbortSignal.timeout(2_000) });
          expect(status).toBe(200);
        }
      });
      await newPerson(proxy);
    } finally {
      process.kill(servers[0].pid, 'SIGCONT');
    }
  });
});

test.skipIf(!isHaproxyInstalled)('The proxy adds the address of the client after what the client says of it', async () => {
  const seen: unknown[] = [];
  const backend = createServer((request, response) => {
    if (request.url === '/') seen.push(request.headers['x-forwarded-for']);
    response.end();
  });
  backend.listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const { port } = Object(backend.address());
  const proxy = await startHaproxy([port, port]);
  await fetch(proxy.url);
  await fetch(proxy.url, { headers: { 'x-forwarded-for': '203.0.113.7' } });
  expect(seen).toEqual(['127.0.0.1', '203.0.113.7, 127.0.0.1']);
  await proxy.stop();
  backend.close();
});
