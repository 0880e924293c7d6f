import { Router } from 'express';
import swaggerUi from 'swagger-ui-express';
import { describeApi } from './openapi.ts';
import type { Route } from './route.ts';

/** Where the documentation is served, with a slash at the end: its page names its files relative to that. */
const PATHS = ['/api/', '/doc/'];

/** Swagger UI over the description of the REST paths; `/` leads to it. */
export function documentation(routes: Route[]): Router {
  const router = Router({ strict: true });
  const page = swaggerUi.setup(describeApi(routes));
  router.get('/', (_request, response) => response.redirect('/api/'));
  for (const path of PATHS) {
    router.get(path.slice(0, -1), (_request, response) => response.redirect(path));
    router.get(path, page);
    router.use(path, ...swaggerUi.serve);
  }
  return router;
}
