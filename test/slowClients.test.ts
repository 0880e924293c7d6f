import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { newUser } from './support/http.ts';
import { type RawSocket, rawSocket, upgradeRequest } from './support/rawSocket.ts';
import { startServer, type TestServer } from './support/server.ts';

/** How long headers and a request may take, in milliseconds. */
const HEADERS = 10_000;
const REQUEST = 30_000;
/** How long an answer may stand still. */
const STANDSTILL = 20_000;
/** How often the server looks, and what a busy machine may take beside that. */
const SLACK = 4_000;
/** How long this process, and with it the server, stood still. */
const stalls = monitorEventLoopDelay();
stalls.enable();

const LOGIN = 'POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n';

describe.concurrent('A client that takes its time', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  /** Says the rest a character a second, until the connection is ended. */
  async function dribble({ socket, ended }: RawSocket, rest: string): Promise<void> {
    const characters = [...rest];
    const timer = setInterval(() => socket.write(characters.shift() ?? ''), 1_000);
    await ended;
    clearInterval(timer);
  }

  async function expectEnd(client: RawSocket, limit: number): Promise<void> {
    const since = performance.now();
    await client.ended;
    const time = performance.now() - since;
    expect(time).toBeGreaterThan(limit - SLACK);
    expect(time).toBeLessThan(limit + SLACK + stalls.max / 1e6);
    client.socket.destroy();
  }

  test('to read what it asked for is left', async () => {
    const client = await rawSocket(server);
    client.socket.pause();
    client.socket.write('GET /api/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50));
    const hex = (port = 0) => port.toString(16).toUpperCase().padStart(4, '0');
    /** The server's end of the connection, as the system lists it while it is open. Others may have the same port on one of their ends. */
    const listed = new RegExp(`:${hex(client.socket.remotePort)} [\\dA-F]{8}:${hex(client.socket.localPort)} 01 `);
    const isOpen = async () => listed.test(await readFile('/proc/net/tcp', 'utf8'));
    expect(await isOpen()).toBe(true);
    // Twice, because the system takes some of it at first.
    const since = performance.now();
    await vi.waitFor(async () => expect(await isOpen()).toBe(false), { timeout: 4 * STANDSTILL, interval: 500 });
    expect(performance.now() - since).toBeLessThan(2 * STANDSTILL + SLACK + stalls.max / 1e6);
    client.socket.destroy();
  });

  test.each([
    ['the body of a request', '\r\n'],
    ['the body of a request that offers HTTP/2', 'Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
  ])('over %s is ended with 408', async (_what, rest) => {
    const client = await rawSocket(server, LOGIN + rest);
    await Promise.all([dribble(client, ' '.repeat(99)), expectEnd(client, REQUEST)]);
    expect(client.said()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('and says nothing at all is ended', async () => {
    const client = await rawSocket(server);
    await expectEnd(client, HEADERS);
  });

  test.each([
    ['the headers of a request', LOGIN],
    ['the headers of an upgrade', upgradeRequest('token')],
  ])('over %s is ended with 408', async (_what, text) => {
    const client = await rawSocket(server, text.slice(0, 20));
    await Promise.all([dribble(client, text.slice(20)), expectEnd(client, HEADERS)]);
    expect(client.said()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('over the next request, after one that offered HTTP/2, is ended', async () => {
    const client = await rawSocket(server, 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    await once(client.socket, 'data');
    expect(client.said()).toMatch(/^HTTP\/1\.1 200 /);
    await client.ended;
    client.socket.destroy();
  });

  test.each([
    ['no token', ''],
    ['no such path', '/nothing'],
  ])('to close after its upgrade was refused for %s is left at once', async (_what, path) => {
    const client = await rawSocket(server, upgradeRequest('token', path || undefined));
    await client.ended;
    expect(client.said()).toMatch(/^HTTP\/1\.1 40[14] .*"code":"\w+"}$/s);
    // Only who has left answers with a reset.
    const timer = setInterval(() => client.socket.write('?'), 20);
    await once(client.socket, 'error');
    clearInterval(timer);
  });

  test('to close after a browser was told that it is not authorized is left', async () => {
    const { token } = await newUser(server);
    const browser = upgradeRequest(token).replace(/Authorization: Bearer \S+/, 'Sec-WebSocket-Protocol: auth, forged');
    const client = await rawSocket(server, browser);
    await client.ended;
    expect(client.said()).toMatch(/^HTTP\/1\.1 101 .*Unauthorized$/s);
    client.socket.destroy();
  });
});
