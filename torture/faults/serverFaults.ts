import { STOP_WITHIN } from '../bounds.ts';
import type { Fault } from './fault.ts';

const kill: Fault = {
  name: 'server killed',
  async strike({ server }) {
    await server.current.kill();
    await server.start();
    return true;
  },
};

const stop: Fault = {
  name: 'server stopped',
  async strike({ server, verdict }) {
    const begun = Date.now();
    const code = await server.current.stop();
    const took = Date.now() - begun;
    verdict.check(
      `SIGTERM ends the server with 0 within ${STOP_WITHIN} ms`,
      code === 0 && took <= STOP_WITHIN,
      () => `with ${code} after ${took} ms`,
    );
    await server.start();
    return true;
  },
};

export const serverFaults = [kill, stop];
