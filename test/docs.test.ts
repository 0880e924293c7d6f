import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseEnv } from '../src/env.ts';
import { describeApi } from '../src/http/openapi.ts';
import { createRoutes } from '../src/http/routes.ts';
import { jsonSchema as describeSchema } from '../src/jsonSchema.ts';
import { REST_PATHS, requestOf } from './support/contract.ts';
import { call, type HttpAnswer, newGroup, newUser } from './support/http.ts';
import { unexplained } from './support/meanings.ts';
import { startServer, type TestServer } from './support/server.ts';
import { strict } from './support/strict.ts';

const jsonSchema = z.custom<Parameters<typeof z.fromJSONSchema>[0]>((value) => typeof value === 'object' && value !== null);
const answer = z.looseObject({ content: z.object({ 'application/json': z.object({ schema: jsonSchema }) }) });
const operation = z.looseObject({
  summary: z.string(),
  deprecated: z.boolean().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), required: z.boolean(), schema: z.looseObject({}) })).optional(),
  requestBody: z.unknown().optional(),
  responses: z.record(z.string(), answer),
});
const description = z.looseObject({
  openapi: z.string().regex(/^3\.0\.\d$/),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.object({ Error: jsonSchema }) }),
});

const nullable = z.looseObject({ nullable: z.literal(true), enum: z.array(z.unknown()) });

const file: unknown = load(await readFile('swagger.yaml', 'utf8'));
const swagger = description.parse(file);

/** What the file says of a method and a path. */
function documented(method: string, path: string): z.output<typeof operation> {
  const found = swagger.paths[path]?.[method.toLowerCase()];
  if (!found) throw new Error(`swagger.yaml knows no ${method} ${path}`);
  return found;
}
/** `body`, when it is as the file says and has no more fields; otherwise an error that tells what is not. */
function checked(schema: z.output<typeof jsonSchema>, body: unknown): unknown {
  return z.fromJSONSchema(strict(schema), { defaultTarget: 'openapi-3.0' }).parse(body);
}
const names = REST_PATHS.map((rest) => ({ ...rest, name: `${rest.method} /api${rest.path}` }));

describe('swagger.yaml', () => {
  test('is what the code describes: after a change of a path run `npm run docs`', () => {
    // Through JSON, because the file holds no more than that.
    expect(file).toEqual(JSON.parse(JSON.stringify(describeApi(createRoutes(parseEnv({})), 'http://localhost:3001'))));
  });

  test('holds every path that the server has, the paths of the contract and the probes, and no other', () => {
    const inFile = Object.entries(swagger.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = createRoutes(parseEnv({})).flatMap(({ method, path, aliases = [] }) =>
      [path, ...aliases].map((path) => `${method.toUpperCase()} /api${path.replace(/:(\w+)/g, '{$1}')}`),
    );
    const probes = ['GET /health/live', 'GET /health/ready'];
    expect(new Set(inFile)).toEqual(new Set([...served, ...probes]));
    expect(new Set(inFile)).toEqual(new Set([...names.map(({ name }) => name), ...probes]));
    expect(served).toHaveLength(new Set(served).size);
  });

  test('lists null among the values of what may be null: in OpenAPI 3.0 `nullable` does not add it', () => {
    const lists: unknown[][] = [];
    JSON.stringify(file, (_key, value: unknown) => {
      const { success, data } = nullable.safeParse(value);
      if (success) lists.push(data.enum);
      return value;
    });
    expect(lists).not.toEqual([]);
    for (const values of lists) expect(values).toContain(null);
  });

  test('does not list it where the same values may not be null', () => {
    const side = z.enum(['left', 'right']);
    const { properties } = describeSchema(z.object({ from: side, to: side.nullable() }), 'output', 'openapi-3.0');
    expect(properties).toMatchObject({ from: { enum: ['left', 'right'] }, to: { enum: ['left', 'right', null] } });
  });

  test('marks the old paths, and says which to take', () => {
    const old = Object.entries(swagger.paths).flatMap(([path, methods]) =>
      Object.values(methods).flatMap((one) => (one.deprecated ? path : [])),
    );
    expect(old.filter((path) => path.startsWith('/api/use-cases/'))).toHaveLength(4);
    expect(documented('POST', '/api/use-cases/mark-as-deleted')).toMatchObject({
      description: 'The same as DELETE /api/dialogs/{companionId}.',
    });
  });

  test.each(names)('says of $name whether it takes a token, and how it can fail', ({ method, path, isProtected }) => {
    const { security, responses } = documented(method, `/api${path}`);
    expect(security).toEqual(isProtected ? [{ token: [] }] : []);
    expect('401' in responses).toBe(isProtected);
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['403', '429', '500', '503']));
    for (const [status, { content }] of Object.entries(responses)) {
      if (status < '400') continue;
      expect(content['application/json'].schema).toEqual({ $ref: '#/components/schemas/Error' });
    }
  });
});

describe('what is published', () => {
  test.each([
    ['/api/dialogs/', ['not_a_member', 'not_an_admin', 'not_the_owner']],
    ['/api/groups/', ['no_such_chat']],
  ])('says of what is below %s nothing of errors that only others answer', (below, codes) => {
    const paths = Object.entries(swagger.paths).filter(([path]) => path.startsWith(below));
    expect(paths.length).toBeGreaterThan(5);
    for (const [path, methods] of paths) {
      for (const code of codes)
        expect({ path, methods: JSON.stringify(methods) }).toEqual({ path, methods: expect.not.stringContaining(code) });
    }
    expect(JSON.stringify(documented('PATCH', '/api/dialogs/{userId}/chat').responses)).toContain('no_such_chat');
  });

  test('forbids unknown fields in bodies of requests, and in no answer', () => {
    for (const methods of Object.values(swagger.paths)) {
      for (const { requestBody, responses } of Object.values(methods)) {
        if (requestBody) expect(JSON.stringify(requestBody)).toContain('"additionalProperties":false');
        expect(JSON.stringify(responses)).not.toContain('additionalProperties');
      }
    }
    expect(JSON.stringify(swagger.components)).not.toContain('additionalProperties');
  });
});

describe('a field whose name and type do not say it', () => {
  test('is explained wherever it stands', () => {
    expect(unexplained(file, ['cursor'])).toEqual([]);
    expect(unexplained(file, ['firstName', 'nowhere'])).toEqual(['firstName', 'nowhere']);
  });

  test.each(['/dialogs/{userId}/messages', '/groups/{groupId}/messages', '/groups/{groupId}/members', '/groups'])(
    'such as the messageId that makes POST %s the same again',
    (path) => expect(JSON.stringify(documented('POST', `/api${path}`).requestBody)).toContain('Made by the client. The same again'),
  );

  test('and so are pages of found messages that have no rows', () => {
    expect(documented('GET', '/api/messages/search').summary).toContain('none and still a nextCursor');
  });
});

describe('a parameter', () => {
  test('is never null in a path or a query, where everything is a text', () => {
    for (const methods of Object.values(swagger.paths)) {
      for (const { parameters = [] } of Object.values(methods)) {
        for (const { name, schema } of parameters)
          expect({ [name]: schema }).toEqual({ [name]: expect.not.objectContaining({ nullable: true }) });
      }
    }
  });
});

describe('GET /api/swagger.yaml', () => {
  test('is the description with the limits of this server, at whatever address it is reached', async () => {
    const server = await startServer({ MAX_MESSAGE_LENGTH: '77' });
    const response = await fetch(`${server.url}/api/swagger.yaml`);
    const page = await (await fetch(`${server.url}/api/swagger-ui-init.js`)).text();
    await server.app.stop();
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/yaml; charset=utf-8']);
    const served = await response.text();
    const described = describeApi(createRoutes(parseEnv({ MAX_MESSAGE_LENGTH: '77' })), '/');
    expect(load(served)).toEqual(JSON.parse(JSON.stringify(described)));
    expect(served.split('\n')[0]).toBe('openapi: 3.0.3');
    expect(served).toContain(' maxLength: 77\n');
    expect(page).toContain('/api/swagger.yaml');
    expect(page).toMatch(/"servers": \[\s*\{\s*"url": "\/"\s*\}\s*\]/);
  });
});

describe('a live answer is as swagger.yaml says', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  test.each(names)('$name when it succeeds', async (rest) => {
    // Somebody else and two groups, so that no list is empty.
    const [user, member, stranger] = [await newUser(server), await newUser(server, 'Other', null), await newUser(server)];
    const groupId = await newGroup(server, user);
    const messageId = randomUUID();
    const addition = { userId: member.id, messageId: randomUUID(), message: 'added' };
    const message = { messageId, content: 'Hello' };
    for (const [address, body] of [
      [`/groups/${groupId}/members`, addition],
      [`/groups/${groupId}/messages`, message],
      [`/dialogs/${member.id}/messages`, message],
    ] as const) {
      expect((await call(server, 'POST', address, { token: user.token, body })).status).toBe(201);
    }
    const { path, body } = requestOf(rest, user, groupId, { memberId: member.id, strangerId: stranger.id, messageId });
    const { responses, parameters = [], requestBody } = documented(rest.method, `/api${rest.path}`);
    const result = await call(server, rest.method, path, { body, ...(rest.isProtected && { token: user.token }) });
    expect(result.status).toBe(rest.success);
    const schema = responses[rest.success]?.content['application/json'].schema ?? {};
    expect(checked(schema, result.body)).toEqual(result.body);
    expect(Object.keys(Object(result.body)).length).toBeGreaterThan(0);
    expect(requestBody !== undefined).toBe(body !== undefined);
    const inQuery = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    const [, query = ''] = path.split('?');
    for (const name of new URLSearchParams(query).keys()) expect(inQuery).toContain(name);
  });

  test.each(['/health/live', '/health/ready'])('GET %s', async (path) => {
    const response = await fetch(server.url + path);
    const schema = documented('GET', path).responses[response.status]?.content['application/json'].schema ?? {};
    const body: unknown = await response.json();
    expect(checked(schema, body)).toEqual(body);
  });

  test('GET /health/ready without its Redis', async () => {
    const alone = await startServer({ REDIS_URL: 'redis://127.0.0.1:1' });
    const response = await fetch(`${alone.url}/health/ready`);
    await alone.app.stop();
    const body: unknown = await response.json();
    expect(body).toMatchObject({ status: 'degraded' });
    const schema = documented('GET', '/health/ready').responses[response.status]?.content['application/json'].schema ?? {};
    expect(checked(schema, body)).toEqual(body);
  });

  test('when it fails, with and without a list of what is wrong', async () => {
    const { Error: schema } = swagger.components.schemas;
    const failures: HttpAnswer[] = [
      await call(server, 'GET', '/profile'),
      await call(server, 'POST', '/auth/register', { body: {} }),
      await call(server, 'POST', '/auth/register', { body: '{' }),
    ];
    expect(failures.map(({ status }) => status)).toEqual([401, 400, 400]);
    for (const { body } of failures) expect(checked(schema, body)).toEqual(body);
  });

  test.each(['null', ''])('a cursor of %j is refused, and not offered', async (cursor) => {
    const user = await newUser(server);
    for (const path of ['/chats', `/dialogs/${user.id}/messages`, '/groups', `/messages/search`]) {
      const query = new URLSearchParams({ cursor, ...(path === '/messages/search' && { text: 'a' }) });
      const { status, body } = await call(server, 'GET', `${path}?${query}`, user);
      expect({ status, body }).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'cursor', message: expect.not.stringContaining('null') }] },
      });
    }
  });

  test('and a wrong one would be seen', () => {
    const { schema } = documented('GET', '/api/profile').responses['200']?.content['application/json'] ?? { schema: {} };
    expect(() => checked(schema, { data: { id: 'x', email: 'x', firstName: 'x', lastName: null } })).toThrow();
    expect(() => checked(schema, { data: {} })).toThrow();
    const right = { id: randomUUID(), email: 'x', firstName: 'x', lastName: null };
    expect(checked(schema, { data: right })).toEqual({ data: right });
    expect(() => checked(schema, { data: { ...right, more: 1 } })).toThrow();
  });
});
