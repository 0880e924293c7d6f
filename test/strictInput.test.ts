import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseEnv } from '../src/env.ts';
import { createRoutes } from '../src/http/routes.ts';
import { createRegistry } from '../src/ws/registry.ts';
import { call } from './support/http.ts';
import { newPerson, type Person } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

/** Fields that clients may send with anything in them, because nobody looks at them. */
const IGNORED = new Set(['getlatestMessageGroup', 'messageInGroup', 'addUserInGroup', 'leaveGroup'].map((type) => `${type} groupName`));

/** Fields that hold a list of ids. */
const GROUP_PATHS = ['POST /groups', 'POST /use-cases/create-group'];
const LISTS_OF_IDS = new Set(['watchPresence', 'unwatchPresence', 'newGroup', ...GROUP_PATHS].map((name) => `${name} userIds`));
/** Fields that are true or false. */
const CHAT_PATHS = ['PATCH /dialogs/:userId/chat', 'PATCH /groups/:groupId/chat'];
const TRUTHS = new Set(['updateChat', ...CHAT_PATHS].flatMap((name) => [`${name} muted`, `${name} pinned`]));
const A_LIST_OF_IDS = `["${randomUUID()}"]`;
/** JSON that is something else than the one text, number or id that a field holds, also where it would turn into one. */
const IN_A_FIELD = [
  '{"$gt":""}',
  '{"$ne":null}',
  '{"$where":"1"}',
  '["text"]',
  A_LIST_OF_IDS,
  '[10]',
  '[[]]',
  '{"__proto__":{"polluted":true}}',
  '{"toString":"text","valueOf":10}',
  'true',
];
const UNKNOWN_FIELDS = ['nobodyKnows', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '$where', '$or', 'userId[]'];
/** Where an object with fields belongs. */
const NO_OBJECTS = ['[]', '[{}]', '"text"', '7', 'true'];
const IN_A_PATH = ['__proto__', '[object Object]', '{"$gt":""}', '$gt', `${randomUUID()},${randomUUID()}`, '\0', '*'];

/** In words of this server's own, which begin small. */
const issues = z.array(z.object({ path: z.string(), message: z.string().regex(/^[a-z]/) }));
const refusal = z.union([
  z
    .object({ status: z.literal(400), body: z.object({ code: z.literal('invalid_params'), errors: issues }) })
    .transform(({ body }) => body.errors),
  z.object({ error: z.literal(true), code: z.literal('invalid_params'), issues }).transform((frame) => frame.issues),
]);

const registry = [...createRegistry(parseEnv({}))].map(([type, { params }]) => ({ type, fields: fieldsOf(params) }));
const routes = createRoutes(parseEnv({})).flatMap(({ method, path, aliases = [], params }) =>
  [path, ...aliases].map((address) => ({ method: method.toUpperCase(), address, fields: fieldsOf(params) })),
);
const withBody = routes.filter(({ method }) => method !== 'GET');
const withQuery = routes.filter(({ method }) => method === 'GET');
const withIdInPath = routes.filter(({ address }) => address.includes(':'));

/** Whether the value is one that the field may hold. */
const fits = (field: string, value: string) =>
  (value === A_LIST_OF_IDS && LISTS_OF_IDS.has(field)) || (value === 'true' && TRUTHS.has(field));

function fieldsOf(params: z.ZodType): string[] {
  if (!(params instanceof z.ZodObject)) throw new Error('params that are no object of known fields need a test of their own');
  return Object.keys(params.shape);
}

describe('nothing is taken for what it is not', () => {
  let server: TestServer;
  let ann: Person;
  beforeAll(async () => {
    server = await startServer();
    ann = await newPerson(server);
  });
  afterAll(() => server.app.stop());

  async function asked(type: string, params: string): Promise<unknown> {
    const requestId = randomUUID();
    ann.socket.send(`{"type":"${type}","requestId":"${requestId}","params":${params}}`);
    return ann.socket.until((frame) => frame.requestId === requestId);
  }
  const sent = (method: string, address: string, body?: string) =>
    call(server, method, address.replace(/:\w+/g, ann.id), { token: ann.token, body });

  async function expectStrict(name: string, fields: string[], ask: (json: string) => Promise<unknown>): Promise<void> {
    for (const field of fields.filter((field) => !IGNORED.has(`${name} ${field}`))) {
      for (const value of IN_A_FIELD.filter((value) => !fits(`${name} ${field}`, value))) {
        const paths = refusal.parse(await ask(`{"${field}":${value}}`)).map(({ path }) => path);
        // Of a list its elements are named.
        const pattern = new RegExp(`^${field}(\\.\\d+)?$`);
        expect({ value, paths }).toEqual({ value, paths: expect.arrayContaining([expect.stringMatching(pattern)]) });
      }
    }
    for (const field of UNKNOWN_FIELDS) {
      const found = refusal.parse(await ask(`{"${field}":{"polluted":true}}`));
      expect(found).toContainEqual({ path: field, message: 'is not known here' });
    }
    expect('polluted' in {}).toBe(false);
  }

  test.for(registry)('$type takes each of its fields for what it is, and no other', async ({ type, fields }) => {
    await expectStrict(type, fields, (json) => asked(type, json));
    for (const params of NO_OBJECTS) refusal.parse(await asked(type, params));
  });

  test.for(withBody)('the body of $method $address too', async ({ method, address, fields }) => {
    const inBody = fields.filter((field) => !address.includes(`:${field}`));
    await expectStrict(`${method} ${address}`, inBody, (json) => sent(method, address, json));
    for (const body of NO_OBJECTS) expect((await sent(method, address, body)).status).toBe(400);
    for (const [, name = ''] of address.matchAll(/:(\w+)/g)) {
      const found = refusal.parse(await sent(method, address, JSON.stringify({ [name]: ann.id })));
      expect(found).toEqual([{ path: name, message: 'stands in the path' }]);
    }
  });

  test.for(withQuery)('the query of $method $address too', async ({ method, address, fields }) => {
    const twice = (field: string) => `${field}=10&${field}=20`;
    const inQuery = fields.filter((field) => !address.includes(`:${field}`));
    for (const field of inQuery) {
      const paths = refusal.parse(await sent(method, `${address}?${twice(field)}`)).map(({ path }) => path);
      expect(paths).toContain(field);
    }
    const unknown = [
      ...UNKNOWN_FIELDS,
      '__proto__[polluted]',
      ...inQuery.flatMap((field) => [`${field}[$gt]`, `${field}[]`, `${field}[0]`]),
    ];
    for (const name of unknown) {
      const found = refusal.parse(await sent(method, `${address}?${new URLSearchParams({ [name]: 'polluted' })}`));
      expect(found).toContainEqual({ path: name, message: 'is not known here' });
    }
  });

  test.for(withIdInPath)('the path of $method $address too', async ({ method, address }) => {
    for (const [, name = ''] of address.matchAll(/:(\w+)/g)) {
      for (const text of IN_A_PATH) {
        const found = refusal.parse(await sent(method, address.replace(`:${name}`, encodeURIComponent(text))));
        expect(found.filter(({ path }) => path === name)).toHaveLength(1);
      }
    }
  });
});
