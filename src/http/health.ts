import { Router } from 'express';
import type { Services } from '../operation.ts';

/** The messages of this process are delivered and kept; its clients hear of those of others late. */
const DEGRADED = { status: 'degraded', reason: 'Redis does not answer: messages do not reach other processes at once' };

/** `/health/live`: the process runs. `/health/ready`: it can serve, that is, the database answers and the server is not stopping. */
export function health({ bus, database, stopping }: Services): Router {
  const router = Router();
  router.get('/health/live', (_request, response) => {
    response.json({ status: 'live' });
  });
  router.get('/health/ready', async (_request, response) => {
    if (stopping.aborted) {
      response.status(503).json({ status: 'stopping' });
      return;
    }
    const ready = await database.answers();
    if (!ready) response.status(503).json({ status: 'unavailable' });
    else response.json(bus.failure === undefined ? { status: 'ready' } : DEGRADED);
  });
  return router;
}
