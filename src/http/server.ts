import cors from 'cors';
import express, { type Express, type Request, type RequestHandler } from 'express';
import { maxRequestBytes } from '../env.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../operation.ts';
import { authenticate } from './authenticate.ts';
import { documentation } from './docs.ts';
import { errorHandler } from './errorHandler.ts';
import { health } from './health.ts';
import { metricsPage } from './metricsPage.ts';
import { observeRequests } from './observe.ts';
import { isOriginAllowed } from './origins.ts';
import type { Route } from './route.ts';

/** The HTTP side: REST below `/api`, its documentation, and what probes ask. */
export function createHttpApp(services: Services, routes: Route[]): Express {
  const { env } = services;
  const app = express().disable('x-powered-by');
  app.use(observeRequests(services));
  app.use(health(services), metricsPage(services));
  app.use(allowOrigins(services), cors({ origin: true, maxAge: 600, exposedHeaders: 'X-Request-Id' }));
  app.use(documentation(routes));
  app.get('/api/ws', () => {
    throw new AppError('upgrade_required');
  });
  app.use('/api', express.json({ limit: maxRequestBytes(env) }));
  for (const route of routes) {
    for (const path of [route.path, ...(route.aliases ?? [])]) app[route.method](`/api${path}`, serve(route, services));
  }
  app.use(() => {
    throw new AppError('not_found');
  });
  return app.use(errorHandler);
}

function allowOrigins({ env }: Services): RequestHandler {
  return ({ headers }, _response, next) => {
    next(isOriginAllowed(env, headers) ? undefined : new AppError('origin_refused'));
  };
}

function serve(route: Route, services: Services): RequestHandler {
  return async (request, response) => {
    const context = route.public ? undefined : await authenticate(services, request.headers.authorization);
    if (route.limit) await services.rateLimits.consume(route.limit, context?.userId ?? request.socket.remoteAddress ?? '');
    const answer = await route.run(services, context, { ...inputOf(request), ...request.params });
    response.status(route.status).json(answer);
  };
}

/** What the query of a GET, or the body of anything else, holds. */
function inputOf(request: Request): object {
  if (request.method === 'GET') return request.query;
  const body: unknown = request.body;
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (body === undefined && (length !== '0' || encoding !== undefined)) throw new AppError('not_json');
  return typeof body === 'object' && body !== null ? body : {};
}
