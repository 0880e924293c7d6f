import { Router } from 'express';
import type { Services } from '../operation.ts';

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
    const ready = await database.answers();
    response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'unavailable' });
  });
  return router;
}
