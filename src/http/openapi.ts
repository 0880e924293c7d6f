import { z } from 'zod';
import { AppError, ERRORS, type ErrorCode } from '../errors.ts';
import { type JsonSchema, jsonSchema as toJsonSchema } from '../jsonSchema.ts';
import type { Route } from './route.ts';

/** What every path may answer beside its own errors. */
const COMMON_ERRORS: ErrorCode[] = [
  'invalid_params',
  'invalid_request',
  'rate_limited',
  'origin_refused',
  'internal',
  'busy',
  'unavailable',
];
const BODY_ERRORS: ErrorCode[] = ['invalid_json', 'body_too_large', 'not_json'];

const errorBody = z.object({
  message: z.string(),
  code: z.enum(Object.keys(ERRORS)),
  errors: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('Only of invalid_params: what is wrong, and where.'),
});
const probe = z.object({ status: z.string() });
const readiness = probe.extend({ reason: z.string().optional() });

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output') => toJsonSchema(schema, io, 'openapi-3.0');

const json = (schema: JsonSchema | { $ref: string }) => ({ content: { 'application/json': { schema } } });

/** The OpenAPI description of the REST paths of the server at this address, made from the schemas that check the requests. */
export function describeApi(routes: Route[], address: string) {
  const paths: Record<string, Record<string, object>> = { ...probes() };
  for (const route of routes) {
    for (const path of [route.path, ...(route.aliases ?? [])]) {
      const key = `/api${path.replace(/:(\w+)/g, '{$1}')}`;
      paths[key] = { ...paths[key], [route.method]: describeRoute(route, path) };
    }
  }
  return {
    openapi: '3.0.3',
    info: {
      title: 'Messenger',
      version: '1.0.0',
      description:
        'Accounts, profile, search, chats and groups. Log in, then authorize with the token. What happens meanwhile comes over the WebSocket at /api/ws, which [has a page of its own](/api/ws-docs/). Later versions may add fields to answers. For tools, [swagger.yaml](/api/swagger.yaml) says what this page says.',
    },
    servers: [{ url: address }],
    paths,
    components: {
      schemas: { Error: jsonSchema(errorBody, 'output') },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function describeRoute(route: Route, path: string): object {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  const shape: Record<string, z.ZodType> = route.params.shape;
  const inPath = (name: string) => names.includes(name);
  const rest = Object.keys(shape).filter((name) => !inPath(name));
  const parameter = (name: string, place: 'path' | 'query') => {
    // Where tools look for it.
    const { description, ...schema } = jsonSchema(shape[name] ?? z.unknown(), 'input');
    return { name, in: place, required: !shape[name]?.safeParse(undefined).success, ...(description && { description }), schema };
  };
  const sameAs = route.sameAs ?? (path !== route.path && `${route.method.toUpperCase()} /api${route.path}`);
  // OpenAPI 3.0 knows no body of a DELETE, though one is taken.
  const hasBody = route.method !== 'get' && route.method !== 'delete' && rest.length > 0;
  const body = z.strictObject(Object.fromEntries(Object.entries(shape).filter(([name]) => !inPath(name))));
  const parameters = [...names.map((name) => parameter(name, 'path')), ...(hasBody ? [] : rest.map((name) => parameter(name, 'query')))];
  return {
    summary: route.summary,
    tags: [path.split('/')[1]],
    ...(sameAs && { deprecated: true, description: `The same as ${sameAs}.` }),
    security: route.public ? [] : [{ token: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(hasBody && { requestBody: { required: true, ...json(jsonSchema(body, 'input')) } }),
    responses: {
      [route.status]: { description: 'Done', ...json(jsonSchema(route.answer, 'output')) },
      ...errorsOf(route, hasBody),
    },
  };
}

/** Its errors by status; where several share one, the code tells them apart. */
function errorsOf(route: Route, hasBody: boolean): Record<string, object> {
  const codes = new Set<ErrorCode>([
    ...route.errors,
    ...(hasBody ? BODY_ERRORS : []),
    ...(route.public ? [] : (['unauthorized'] as const)),
    ...COMMON_ERRORS,
  ]);
  const byStatus: Record<string, { description: string }> = {};
  for (const code of codes) {
    const { status, message } = new AppError(code);
    const before = byStatus[status];
    const description = `${before ? `${before.description}; ` : ''}${code}: ${message}`;
    byStatus[status] = {
      description,
      ...(status === 429 && { headers: { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } } }),
      ...json({ $ref: '#/components/schemas/Error' }),
    };
  }
  return byStatus;
}

function probes(): Record<string, Record<string, object>> {
  const answer = (description: string, schema = probe) => ({ description, ...json(jsonSchema(schema, 'output')) });
  const describe = (summary: string, responses: object) => ({ get: { summary, tags: ['health'], security: [], responses } });
  return {
    '/health/live': describe('Whether the process runs', { 200: answer('It runs') }),
    '/health/ready': describe('Whether it can serve', {
      200: answer('It can; while Redis is away the status is `degraded`, and there is a reason', readiness),
      503: answer('The database does not answer'),
    }),
  };
}
