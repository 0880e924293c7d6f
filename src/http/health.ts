import { setTimeout as delay } from 'node:timers/promises';
import { Router } from 'express';
import type { Services } from '../operation.ts';

/** How long the database may take to answer a probe, in milliseconds. */
const TIMEOUT = 2_000;

/** `/health/live`: the process runs. `/health/ready`: it can serve, that is, the database answers and the server is not stopping. */
export function health({ database, stopping }: Services): Router {
  const router = Router();
  router.get('/health/live', (_request, response) => {
    response.json({ status: 'live' });
  });
  router.get('/health/ready', async (_request, response) => {
    if (stopping.aborted) {
      response.status(503).json({ status: 'stopping' });
      return;
    }
    const answered = database.query('SELECT 1').then(
      () => true,
      () => false,
    );
    const ready = await Promise.race([answered, delay(TIMEOUT, false, { ref: false })]);
    response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'unavailable' });
  });
  return router;
}
