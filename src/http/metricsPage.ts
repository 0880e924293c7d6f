import { createHash, timingSafeEqual } from 'node:crypto';
import { Router } from 'express';
import { AppError } from '../errors.ts';
import { bearerToken } from '../features/auth/tokens.ts';
import type { Services } from '../operation.ts';

/** `/metrics`, for whoever shows METRICS_TOKEN as a bearer token. Without that variable there is no such page. */
export function metricsPage({ env: { METRICS_TOKEN }, metrics }: Services): Router {
  const router = Router();
  if (METRICS_TOKEN === undefined) return router;
  // Of equal length, whatever is shown, and so compared in constant time.
  const expected = digest(METRICS_TOKEN);
  router.get('/metrics', async (request, response) => {
    const shown = digest(bearerToken(request.headers.authorization) ?? '');
    if (!timingSafeEqual(shown, expected)) throw new AppError('unauthorized');
    response.set('Content-Type', metrics.contentType).send(await metrics.text());
  });
  return router;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
