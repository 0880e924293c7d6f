import { isUtf8 } from 'node:buffer';
import cors from 'cors';
import express, { type Express, type Request, type RequestHandler } from 'express';
import helmet from 'helmet';
import { maxRequestBytes } from '../env.ts';
import { AppError } from '../errors.ts';
import type { Operation, Services } from '../operation.ts';
import { authenticate } from './authenticate.ts';
import { documentation } from './docs.ts';
import { errorHandler } from './errorHandler.ts';
import { health } from './health.ts';
import { metricsPage } from './metricsPage.ts';
import { observeRequests } from './observe.ts';
import { isOriginAllowed } from './origins.ts';
import type { Route } from './route.ts';

/**
 * What a browser may do with what it gets here: load the documentation's own files, call this server, and no more.
 * TLS is the business of a proxy in front, and so is telling browsers to insist on it: nothing here upgrades addresses or pins HTTPS,
 * which would break a server that is reached by plain HTTP, and bind other hosts of the operator's domain.
 */
const secureHeaders = helmet({
  strictTransportSecurity: false,
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      // The pages of the documentation have their own style inline.
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
});

/** The HTTP side: REST below `/api`, the documentation of it and of the WebSocket, and what probes ask. */
export function createHttpApp(services: Services, routes: Route[], operations: ReadonlyMap<string, Operation>): Express {
  const { env } = services;
  const app = express().disable('x-powered-by');
  app.use(observeRequests(services), secureHeaders);
  app.use(health(services), metricsPage(services));
  app.use(allowOrigins(services), cors({ origin: true, maxAge: 600, exposedHeaders: ['Retry-After', 'X-Request-Id'] }));
  app.use(documentation(routes, operations));
  app.get('/api/ws', () => {
    throw new AppError('upgrade_required');
  });
  app.use('/api', express.json({ limit: maxRequestBytes(env), verify: refuseGarbled }));
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

/** What is not the UTF-8 that it should be would be read, and stored, as something else than what was sent. The parser makes a refusal of any error. */
function refuseGarbled(_request: unknown, _response: unknown, body: Buffer, encoding: string): void {
  if (encoding === 'utf-8' && !isUtf8(body)) throw new Error('the body is not UTF-8');
}

function serve(route: Route, services: Services): RequestHandler {
  return async (request, response) => {
    if (services.database.isCrowded) throw new AppError('busy');
    const context = route.public ? undefined : await authenticate(services, request.headers.authorization);
    if (route.limit) await services.rateLimits.consume(route.limit, context?.userId ?? services.clientAddress(request));
    const input = inputOf(route, request);
    const issues = Object.keys(request.params).flatMap((path) => (path in input ? { path, message: 'stands in the path' } : []));
    if (issues.length > 0) throw new AppError('invalid_params', { issues });
    const answer = await route.run(services, context, { ...input, ...request.params });
    response.status(route.status).json(answer);
  };
}

/** What the request holds beside its path. Many clients and proxies drop the body of a DELETE; one that comes counts before the query. */
function inputOf({ method }: Route, request: Request): object {
  if (method === 'get') return request.query;
  return method === 'delete' ? { ...request.query, ...bodyOf(request) } : bodyOf(request);
}

/** What the body holds. */
function bodyOf(request: Request): object {
  const body: unknown = request.body;
  if (Array.isArray(body)) throw new AppError('invalid_params', { issues: [{ path: '', message: 'must be an object' }] });
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (body === undefined && (length !== '0' || encoding !== undefined)) throw new AppError('not_json');
  return typeof body === 'object' && body !== null ? body : {};
}
