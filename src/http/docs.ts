import { Router } from 'express';
import swaggerUi from 'swagger-ui-express';
import { toYaml } from '../lib/yaml.ts';
import type { Operation } from '../operation.ts';
import { describeSocket } from '../ws/asyncapi.ts';
import { describeApi } from './openapi.ts';
import type { Route } from './route.ts';
import { socketPage } from './socketPage.ts';

/** Where the documentation is served, with a slash at the end: its page names its files relative to that. */
const PATHS = ['/api/', '/doc/'];
/** Where that of the WebSocket is. */
const SOCKET_PATH = '/api/ws-docs/';
/** A description is read where it is served: this is the address that it came from, whatever proxy is in front. */
const HERE = '/';

/** Swagger UI over the description of the REST paths, to which `/` leads, a page about the WebSocket beside it, and both descriptions for tools. */
export function documentation(routes: Route[], operations: ReadonlyMap<string, Operation>): Router {
  const router = Router({ strict: true });
  const [api, socket] = [describeApi(routes, HERE), describeSocket(operations)];
  const page = swaggerUi.setup(api);
  const aboutSocket = socketPage(socket);
  router.get('/', (_request, response) => response.redirect('/api/'));
  for (const path of [...PATHS, SOCKET_PATH]) router.get(path.slice(0, -1), (_request, response) => response.redirect(path));
  router.get(SOCKET_PATH, (_request, response) => {
    response.type('html').send(aboutSocket);
  });
  for (const [path, description] of [
    ['/api/swagger.yaml', api],
    ['/api/asyncapi.yaml', socket],
  ] as const) {
    const text = toYaml(description);
    router.get(path, (_request, response) => {
      response.type('application/yaml').send(text);
    });
  }
  for (const path of PATHS) {
    router.get(path, page);
    router.use(path, ...swaggerUi.serve);
  }
  return router;
}
