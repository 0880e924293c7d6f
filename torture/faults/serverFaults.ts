import { setTimeout as delay } from 'node:timers/promises';
import { STOP_WITHIN } from '../bounds.ts';
import type { Server } from '../server.ts';
import type { Fault, Victims } from './fault.ts';

/** How long a server may be away beside others that serve, in milliseconds. */
const AWAY_FOR = 2_000;

const kill: Fault = {
  name: 'server killed',
  async strike(victims) {
    await Promise.all(victims.servers.map((server) => killOne(server, victims, 0)));
    return true;
  },
};

const stop: Fault = {
  name: 'server stopped',
  async strike(victims) {
    await Promise.all(victims.servers.map((server) => stopOne(server, victims, 0)));
    return true;
  },
};

const killNode: Fault = {
  name: 'one server of several killed',
  async strike(victims) {
    const { servers, random } = victims;
    await killOne(random.pick(servers), victims, random.integer(0, AWAY_FOR));
    return true;
  },
};

const stopNode: Fault = {
  name: 'one server of several stopped',
  async strike(victims) {
    const { servers, random } = victims;
    await stopOne(random.pick(servers), victims, random.integer(0, AWAY_FOR));
    return true;
  },
};

const killOne = (server: Server, { history }: Victims, away: number): Promise<void> =>
  server.renew(async (current) => {
    history.losses.killed(server.node, history.moment());
    await current.kill();
    await delay(away);
  });

const stopOne = (server: Server, { verdict }: Victims, away: number): Promise<void> =>
  server.renew(async (current) => {
    const begun = Date.now();
    const code = await current.stop();
    const took = Date.now() - begun;
    verdict.check(
      `SIGTERM ends the server with 0 within ${STOP_WITHIN} ms`,
      code === 0 && took <= STOP_WITHIN,
      () => `with ${code} after ${took} ms; the end of its log:\n${current.lastLines.join('\n')}`,
    );
    await delay(away);
  });

export const serverFaults = [kill, stop];
/** Those that strike one server while the others serve. */
export const nodeFaults = [killNode, stopNode];
