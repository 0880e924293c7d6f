import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket as TcpSocket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { newUser, type TestUser } from './support/http.ts';
import { holdLock } from './support/lock.ts';
import { NEWEST, newPerson, write } from './support/people.ts';
import { rawSocket, upgradeRequest } from './support/rawSocket.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect, type Socket } from './support/socket.ts';

/** In milliseconds. */
const INTERVAL = 1_000;

describe('A client whose connection is swept every second', () => {
  let server: TestServer;
  let user: TestUser;
  beforeAll(async () => {
    server = await startServer({ PING_INTERVAL: '1s' });
    user = await newUser(server);
  });
  afterAll(() => server.app.stop());

  /** Resolves when the client was asked so often for a sign of life. */
  function pings({ socket }: Socket, count: number): Promise<void> {
    let seen = 0;
    return new Promise((resolve, reject) => {
      socket.on('ping', () => {
        seen++;
        if (seen === count) resolve();
      });
      socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
    });
  }

  /** Begins to count intervals, by a timer in the server's own process: what delays its sweeps delays this too. */
  function countIntervals(): () => number {
    let count = 0;
    const timer = setInterval(() => count++, INTERVAL);
    return () => {
      clearInterval(timer);
      return count;
    };
  }

  test('and that answers nothing is gone within two intervals', async () => {
    const { socket, said, ended } = await rawSocket(server, upgradeRequest(user.token));
    await once(socket, 'data');
    const intervals = countIntervals();
    await ended;
    expect(intervals()).toBeLessThanOrEqual(2);
    expect(said()).toMatch(/^HTTP\/1.1 101 /);
    socket.destroy();
  });

  test('and whose network is gone is gone within two intervals, and its user is told nothing of it', async () => {
    const between: TcpSocket[] = [];
    const { port } = new URL(server.url);
    const network = createServer((client) => {
      const toServer = connectTcp({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
      client.pipe(toServer).pipe(client);
      between.push(client, toServer);
    }).listen(0, '127.0.0.1');
    await once(network, 'listening');
    const address = network.address();
    if (!address || typeof address === 'string') throw new Error('no port');
    const client = await connect({ url: `http://127.0.0.1:${address.port}` }, user);
    const [near, far] = between;
    if (!near || !far) throw new Error('nothing came through');
    near.unpipe(far);
    far.unpipe(near);
    const intervals = countIntervals();
    far.resume();
    await once(far, 'end');
    expect(intervals()).toBeLessThanOrEqual(2);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    for (const socket of between) socket.destroy();
    network.close();
  });

  test('and that answers stays', async () => {
    const client = await connect(server, user);
    await pings(client, 4);
    expect(await client.rows('listLastMessage', NEWEST)).toEqual([]);
    await client.close();
  });

  test('stays while the server has so much to answer that it does not read', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'Hello');
    const lock = await holdLock(server.databaseUrl, 'LOCK TABLE conversations IN EXCLUSIVE MODE');
    for (let index = 0; index < 1_000; index++) {
      ann.socket.send({
        type: 'privateMessage',
        params: { messageId: crypto.randomUUID(), receiverId: bob.id, content: 'x' },
        requestId: index,
      });
    }
    await pings(ann.socket, 3);
    await lock.release();
    await eventually(() => expect(ann.socket.frames).toHaveLength(1 + 1_000));
  });
});
