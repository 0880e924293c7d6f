import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Actor } from '../actor.ts';
import { SILENT_GONE_WITHIN } from '../bounds.ts';
import { LONGEST_TEXT } from '../texts.ts';
import type { Fault } from './fault.ts';

/** How long one who did not read, and one who wrote more than the server takes at once, may need to be as before, in milliseconds. */
const CATCHES_UP_WITHIN = 30_000;

/** How long an application may be away, at most, in milliseconds: as long as it is, its device cannot be served. */
const APPLICATION_AWAY_FOR = 1_500;

const vanish: Fault = {
  name: 'clients vanished',
  async strike({ clients, random }) {
    const links = openLinks(random.sample(clients, random.integer(1, clients.length)));
    for (const link of links) link.vanish();
    return links.length > 0;
  },
};

const fallSilent: Fault = {
  name: 'client fell silent',
  async strike({ servers, clients, random, verdict }) {
    const { account } = random.pick(clients);
    const server = random.pick(servers);
    const { current } = server;
    const headers = { authorization: `Bearer ${account.token}` };
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/ws`, { headers, autoPong: false });
    socket.on('error', () => {});
    const opened = new Promise<boolean>((resolve) => {
      socket.once('open', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
    const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
    if (!(await opened)) return false;
    const isGone = await Promise.race([closed, delay(SILENT_GONE_WITHIN, false)]);
    verdict.check(
      'a client that answers no ping is gone after two intervals',
      isGone || current.ending !== undefined,
      () => `one of ${account.id} is still connected after ${SILENT_GONE_WITHIN} ms`,
    );
    socket.terminate();
    return true;
  },
};

const stopReading: Fault = {
  name: 'user stopped reading',
  async strike({ clients, random, slowUntil }) {
    const { account, conversations } = random.pick(clients);
    const dialog = random.pick(conversations.filter(({ kind }) => kind === 'dialog'));
    const texts = Array.from({ length: random.integer(20, 100) }, () => LONGEST_TEXT);
    const links = openLinks(clients.filter(({ account: { id } }) => id === account.id));
    if (links.length === 0) return false;
    for (const userId of dialog.memberIds) slowUntil.set(userId, Date.now() + CATCHES_UP_WITHIN);
    for (const link of links) link.pause();
    for (const client of clients) {
      if (client.account.id !== account.id && dialog.memberIds.has(client.account.id)) client.write(dialog, texts);
    }
    await delay(random.integer(500, 3_000));
    for (const link of links) link.resume();
    return true;
  },
};

const resetHandshakes: Fault = {
  name: 'handshakes reset',
  async strike({ servers, clients, random }) {
    const server = random.pick(servers);
    const { hostname, port } = new URL(server.url);
    const resets = Array.from({ length: random.integer(10, 60) }, async () => {
      const { token } = random.pick(clients).account;
      const handshake = Buffer.from(
        `GET /api/ws HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
          `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
      // Half of them send all of it, and are cut while the server looks them up or has already let them in.
      const length = random.chance(50) ? handshake.length : random.integer(0, handshake.length - 1);
      const patience = random.integer(0, 30);
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on('error', () => {});
      socket.write(handshake.subarray(0, length));
      await delay(patience);
      const isBegun = length > 0 && socket.readyState === 'open';
      socket.resetAndDestroy();
      return isBegun;
    });
    return (await Promise.all(resets)).includes(true);
  },
};

const restartApplications: Fault = {
  name: 'applications restarted',
  async strike({ devices, random }) {
    const some = random.sample(devices, random.integer(1, devices.length));
    await Promise.all(some.map((device) => device.restart(random.integer(0, APPLICATION_AWAY_FOR), random.chance(20))));
    return some.length > 0;
  },
};

const openLinks = (clients: Actor[]) => clients.flatMap(({ link }) => link ?? []);

export const clientFaults = [vanish, fallSilent, stopReading, resetHandshakes, restartApplications];
