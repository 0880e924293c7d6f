import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Logger } from '../lib/logger.ts';
import type { Services } from '../operation.ts';

declare global {
  namespace Express {
    interface Locals {
      /** Writes the id of the request into every line. */
      logger: Logger;
    }
  }
}

/**
 * Gives each request an id, which stands in its log lines and in the header `X-Request-Id` of its answer, and tells when it is done.
 * Of the address only the pattern of its route is told: the rest may hold anything.
 */
export function observeRequests({ logger, metrics }: Services): RequestHandler {
  return (request, response, next) => {
    const begunAt = performance.now();
    const requestId = randomUUID();
    response.locals.logger = logger.child({ requestId });
    response.set('X-Request-Id', requestId);
    response.once('close', () => {
      const pattern: unknown = request.route?.path;
      const route = typeof pattern === 'string' ? pattern : 'other';
      const status = response.writableFinished ? String(response.statusCode) : 'aborted';
      const seconds = (performance.now() - begunAt) / 1000;
      metrics.httpRequests.observe({ method: request.method, route, status }, seconds);
      response.locals.logger.debug({ method: request.method, route, status, seconds }, 'request');
    });
    next();
  };
}
