import { once } from 'node:events';
import { createConnection, createServer, type Socket as TcpSocket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../src/lib/freePort.ts';
import { newDatabase, query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { newUser, type TestUser } from './support/http.ts';
import { newServer } from './support/server.ts';
import { newDirectory, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';
import { connect } from './support/socket.ts';

describe('A stop ends in time with 0 although a client', () => {
  let dataDir: string;
  let databaseUrl: string;
  let server: ServerProcess;
  let user: TestUser;
  beforeAll(async () => {
    databaseUrl = await newDatabase();
    dataDir = await newDirectory();
  });
  afterAll(sweep);

  async function tcp(text: string): Promise<TcpSocket> {
    const { hostname, port } = new URL(server.url);
    const socket = createConnection({ port: Number(port), host: hostname, allowHalfOpen: true });
    await once(socket, 'connect');
    socket.on('error', () => {});
    socket.write(text.replaceAll('\n', '\r\n'));
    return socket;
  }

  const upgrade = (path: string, token: string) => `GET ${path} HTTP/1.1
Host: localhost
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Authorization: Bearer ${token}

`;

  test.each([
    ['has sent half a head', () => tcp('GET /api/profile HTTP/1.1\nHost: localhost\n')],
    [
      'has sent half a body',
      () => tcp('POST /api/auth/login HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 99\n\n{'),
    ],
    ['has sent nothing', () => tcp('')],
    ['never closes its WebSocket', () => tcp(upgrade('/api/ws', user.token))],
    [
      'does not keep to the protocol when its WebSocket is closed',
      async () => {
        const socket = await tcp(upgrade('/api/ws', user.token));
        await once(socket, 'data');
        socket.on('data', () => socket.write('nonsense'));
      },
    ],
    ['never closes after an upgrade that was refused', () => tcp(upgrade('/elsewhere', user.token))],
    [
      'never closes a WebSocket that was opened only to be closed',
      () => tcp(upgrade('/api/ws', '').replace(/Authorization.*/, 'Sec-WebSocket-Protocol: auth, nothing')),
    ],
    [
      'does not read what is written to it',
      async () => {
        const { socket } = await connect(server, user);
        socket.pause();
      },
    ],
  ])('%s', async (_what, begin) => {
    server = await startProcess(dataDir, { DATABASE_URL: databaseUrl });
    user = await newUser(server);
    await begin();
    // Whatever was sent before this has arrived.
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
    // Not in time, it would be 1.
    expect(await server.stop()).toBe(0);
  });
});

test('A server that is stopped while it waits for Redis does not begin to serve', async () => {
  const [port, redisPort, databaseUrl] = [await freePort(), await freePort(), await newDatabase()];
  const clients: TcpSocket[] = [];
  const silentRedis = createServer((client) => clients.push(client)).listen(redisPort, '127.0.0.1');
  await once(silentRedis, 'listening');
  const { app } = await newServer({ PORT: `${port}`, REDIS_URL: `redis://127.0.0.1:${redisPort}` }, databaseUrl);
  const refused = expect(app.start()).rejects.toThrow('abort');
  // The database has been asked for the last time then.
  const asked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle' AND query LIKE 'SELECT 1+1%'";
  await eventually(async () => expect(await query(databaseUrl, asked)).toHaveLength(1));
  await app.stop();
  await refused;
  await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
  for (const client of clients) client.destroy();
  silentRedis.close();
});
