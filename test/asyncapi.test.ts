import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import specification from '@asyncapi/specs/schemas/3.0.0.json' with { type: 'json' };
import { Ajv } from 'ajv';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseEnv } from '../src/env.ts';
import { OPT_IN_EVENTS } from '../src/realtime/optInEvents.ts';
import { describeSocket, messageName } from '../src/ws/asyncapi.ts';
import { broadcasts } from '../src/ws/broadcasts.ts';
import { CLOSE, CLOSE_CODES } from '../src/ws/closeCodes.ts';
import { createRegistry } from '../src/ws/registry.ts';
import { description, mismatch } from './support/description.ts';
import { type ExampleScene, setExampleScene, timeless } from './support/exampleScene.ts';
import { unlike } from './support/likeness.ts';
import { unexplained } from './support/meanings.ts';
import { startServer, type TestServer } from './support/server.ts';
import type { Answer, Frame } from './support/socket.ts';

const file: unknown = load(await readFile('asyncapi.yaml', 'utf8'));
const { messages } = description.components;
const operations = Object.entries(description.operations);
const requestTypes = operations.filter(([, { reply }]) => reply).map(([type]) => type);
const broadcastTypes = Object.keys(broadcasts);
const isError = (name: string) => messages[name]?.payload.properties?.error !== undefined;
const codes = Object.keys(messages).filter(isError);

/** The first example of a message. Without one there is nothing to compare with. */
function exampleOf(name: string): unknown {
  const [example] = messages[name]?.examples ?? [];
  if (!example) throw new Error(`${name} has no example: add one to src/ws/examples`);
  return example.payload;
}

/** Every `$ref` in a value. */
function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === '$ref' ? [String(inner)] : referencesIn(inner)));
}

describe('asyncapi.yaml', () => {
  test('is what the code describes: after a change of a request or broadcast run `npm run docs`', () => {
    expect(file).toEqual(JSON.parse(JSON.stringify(description)));
  });

  test('is AsyncAPI 3.0, by its official schema', () => {
    // The schema brings along that of JSON Schema, which it extends.
    const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
    const validate = ajv.compile(specification);
    expect(validate(file) || ajv.errorsText(validate.errors)).toBe(true);
    expect(validate({ ...z.object({}).loose().parse(file), channels: { messenger: { address: 7 } } })).toBe(false);
  });

  test('forbids unknown fields in the params of requests, and in nothing that the server sends', () => {
    for (const [name, { payload }] of Object.entries(messages)) {
      const isRequest = requestTypes.some((type) => name === messageName.request(type));
      const forbids = JSON.stringify(payload).includes('"additionalProperties":false');
      expect({ [name]: forbids }).toEqual({ [name]: isRequest });
    }
  });

  test('explains each field whose name and type do not say it, wherever it stands', () => {
    expect(unexplained(file, ['cursor', 'cursorCreatedAt', 'afterRev', 'changedSince', 'more', 'requestId'])).toEqual([]);
  });

  test.each(['privateMessage', 'messageInGroup', 'addUserInGroup', 'leaveGroup', 'removeUserFromGroup', 'newGroup'])(
    'says what the same messageId means in %s',
    (type) => expect(JSON.stringify(messages[messageName.request(type)])).toContain('Made by the client. The same again'),
  );

  test('says that a page of found messages may have no rows and be followed by others', () => {
    expect(description.operations.searchMessages?.summary).toContain('none and still a `nextCursor`');
  });

  test('refers to nothing that is not there', () => {
    const inFile = referencesIn(file);
    expect(inFile.length).toBeGreaterThan(100);
    for (const reference of new Set(inFile)) {
      const found = reference
        .split('/')
        .slice(1)
        .reduce<unknown>((value, name) => Object(value)[name], file);
      expect({ reference, found }).toEqual({ reference, found: expect.any(Object) });
    }
  });

  test('has every event that can be subscribed to, as one that must be asked for', () => {
    const optIn = operations.filter(([, operation]) => operation['x-optIn']).map(([, { title }]) => title);
    expect(new Set(optIn)).toEqual(new Set(OPT_IN_EVENTS));
  });

  test('has every code with which the server closes a connection', () => {
    for (const { code } of Object.values(CLOSE)) expect(Object.keys(CLOSE_CODES)).toContain(String(code));
  });

  test.each(Object.keys(messages))('has an example of %s that is as its schema says', (name) => {
    exampleOf(name);
    for (const { payload } of messages[name]?.examples ?? []) expect(mismatch(name, payload)).toBeUndefined();
  });

  test('and a wrong example would be seen', () => {
    const name = messageName.answer('privateMessage');
    const frame = z.looseObject({ params: z.looseObject({}) }).parse(exampleOf(name));
    expect(mismatch(name, { ...frame, params: { ...frame.params, seq: '1' } })).toContain('seq');
    expect(mismatch(name, { ...frame, params: { ...frame.params, createdAt: '2026-01-31T12:00:00Z' } })).toContain('createdAt');
    expect(mismatch(name, { ...frame, more: 1 })).toContain('additional properties');
  });
});

/** What else happens after the example of a request was sent, so that every broadcast is heard. */
const AFTERWARDS: Record<string, (scene: ExampleScene, params: unknown) => Promise<unknown>> = {
  // Whoever sends again may not have been heard.
  privateMessage: ({ ann }, params) => ann.socket.ask('privateMessage', params),
  watchPresence: async ({ ann, bob }) => {
    await bob.socket.close();
    await ann.socket.broadcast('userStatus');
  },
};

/** Requests of Ann's that fail; those of Bob's where it says so. */
const FAILURES: Record<string, (scene: ExampleScene) => Promise<Frame>> = {
  invalid_json: ({ ann }) => raw(ann, '{'),
  invalid_frame: ({ ann }) => raw(ann, '{"requestId":"of no type"}'),
  unknown_type: ({ ann }) => ann.socket.fail('nothing', {}),
  invalid_params: ({ ann }) => ann.socket.fail('listLastMessage', { limit: 101, cursorCreatedAt: null }),
  not_a_member: ({ carol, groupId }) => carol.socket.fail('messageInGroup', { messageId: randomUUID(), groupId, content: 'Hello' }),
  not_the_owner: ({ bob, groupId }) => bob.socket.fail('dropGroup', { groupId }),
  no_such_user: ({ ann }) => ann.socket.fail('privateMessage', { messageId: randomUUID(), receiverId: randomUUID(), content: 'Hello' }),
  no_such_message: ({ ann, groupId }) => ann.socket.fail('deleteMessage', { groupId, messageId: randomUUID() }),
  already_a_member: ({ ann, bob, groupId }) =>
    ann.socket.fail('addUserInGroup', { groupId, userId: bob.id, messageId: randomUUID(), message: 'added' }),
  message_id_taken: ({ bob, groupId, groupMessageId }) =>
    bob.socket.fail('messageInGroup', { messageId: groupMessageId, groupId, content: 'Hello' }),
  not_an_admin: ({ bob, groupId }) => bob.socket.fail('updateGroup', { groupId, groupName: 'Mine' }),
  not_the_author: ({ bob, groupId, groupMessageId: messageId }) => bob.socket.fail('editMessage', { groupId, messageId, content: 'Mine' }),
  no_such_chat: ({ ann, carol }) => ann.socket.fail('updateChat', { receiverId: carol.id, muted: true }),
  no_such_member: ({ ann, carol, groupId }) => ann.socket.fail('setGroupRole', { groupId, userId: carol.id, role: 'admin' }),
  group_id_taken: ({ bob, groupId }) => bob.socket.fail('newGroup', { groupId, groupName: 'Mine' }),
  too_many_reactions: async ({ ann, groupId, groupMessageId: messageId }) => {
    const reactions = ['😀', '😃', '😄', '😁', '😆', '😅', '😂', '🙂', '🙃', '😉'];
    for (const emoji of reactions) await ann.socket.ask('addReaction', { groupId, messageId, emoji });
    return ann.socket.fail('addReaction', { groupId, messageId, emoji: '👍' });
  },
  no_shared_chat: ({ ann, carol }) => ann.socket.fail('watchPresence', { userIds: [carol.id] }),
};
/** Errors that take a server of their own: the tests that have one compare their frames, as all tests do. */
const ELSEWHERE = ['unauthorized', 'rate_limited', 'busy', 'unavailable', 'internal', 'too_late_to_edit'];

function raw({ socket }: ExampleScene['ann'], text: string): Promise<Frame> {
  socket.frames.length = 0;
  socket.send(text);
  return socket.until((frame) => 'error' in frame);
}

describe('what a server sends is like the example', () => {
  let server: TestServer;
  /** By request type, what the example of the request is answered with. */
  const answers = new Map<string, Frame>();
  const told: Answer[] = [];

  let ofFailures: ExampleScene;

  beforeAll(async () => {
    server = await startServer();
    await Promise.all(requestTypes.map(sendExample));
    ofFailures = await setExampleScene(server);
  });
  afterAll(() => server.app.stop());

  async function sendExample(type: string): Promise<void> {
    const scene = await setExampleScene(server);
    const [example] = messages[messageName.request(type)]?.examples ?? [];
    const { params } = z.looseObject({ params: z.unknown() }).parse(scene.inScene(example?.payload ?? {}));
    answers.set(type, scene.inExamples(await scene.ann.socket.request(type, params)));
    if (example) await AFTERWARDS[type]?.(scene, params);
    told.push(...(await scene.heard()));
    await scene.close();
  }

  test.each(requestTypes)('when the example of %s is sent', (type) => {
    const answer = answers.get(type);
    expect(timeless({ ...answer, requestId: 1 })).toEqual(timeless(exampleOf(messageName.answer(type))));
  });

  test.each(broadcastTypes)('when %s is broadcast', (type) => {
    const live = told.filter((frame) => frame.type === type);
    const examples = messages[messageName.broadcast(type)]?.examples ?? [];
    for (const { name, payload } of examples) {
      expect({ [name]: live.map(timeless) }).toEqual({ [name]: expect.arrayContaining([timeless(payload)]) });
    }
    for (const frame of live) expect(examples.some(({ payload }) => unlike(payload, frame).length === 0)).toBe(true);
  });

  test('every error of a request or frame is tried', () => {
    expect(new Set([...Object.keys(FAILURES), ...ELSEWHERE])).toEqual(new Set(codes));
  });

  test.each(Object.entries(FAILURES))('when a request fails with %s', async (code, fail) => {
    const example = z.looseObject({ message: z.string() }).parse(exampleOf(messageName.error(code)));
    const frame = await fail(ofFailures);
    expect(frame).toMatchObject({ error: true, code, message: example.message });
    expect(unlike(example, { ...frame, ...('requestId' in frame && { requestId: 1 }) })).toEqual([]);
  });
});

describe('the page about it', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  test.each(['/api/ws-docs', '/api/ws-docs/'])('at %s shows all that is described, with links that lead somewhere', async (path) => {
    const response = await fetch(server.url + path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html\b/);
    const html = await response.text();
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toHaveLength(new Set(ids).size);
    expect(ids).toEqual(expect.arrayContaining([...operations.map(([name]) => name), ...codes]));
    for (const [, target = ''] of html.matchAll(/<a href="([^"]+)"/g)) {
      if (target.startsWith('#')) expect(ids).toContain(target.slice(1));
      else expect((await fetch(server.url + target)).status).toBe(200);
    }
    for (const code of Object.keys(CLOSE_CODES)) expect(html).toContain(code);
    // What it says of a field, of one that may be null, of one in a list, and of one whose null alone is not explained.
    expect(html).toMatch(/<code>data\[\]\.unreadCount<\/code><td>whole number<td><td>Messages of others [^<]* 999 or more\n/);
    expect(html).toMatch(/<code>replyToId<\/code><td>id or null<td>may be absent<td>The <code>messageId<\/code> of/);
    expect(html).toMatch(/<code>cursor<\/code><td>text[^<]* or null<td><td>The <code>nextCursor<\/code> of the last page/);
    expect(html.replace('<link rel="icon" href="data:,">', '')).not.toMatch(/<script|<link|<img| src=|@import|url\(/);
  });

  test('links the description, which the server has with its own limits', async () => {
    const limited = await startServer({ MAX_MESSAGE_LENGTH: '77' });
    const page = await (await fetch(`${limited.url}/api/ws-docs/`)).text();
    const response = await fetch(`${limited.url}/api/asyncapi.yaml`);
    await limited.app.stop();
    expect(page).toContain('<a href="/api/asyncapi.yaml">');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/yaml; charset=utf-8']);
    const served = await response.text();
    const described = describeSocket(createRegistry(parseEnv({ MAX_MESSAGE_LENGTH: '77' })));
    expect(load(served)).toEqual(JSON.parse(JSON.stringify(described)));
    expect(served.split('\n')[0]).toBe('asyncapi: 3.0.0');
    expect(served).toContain(' maxLength: 77\n');
  });

  test('is reached from the page of the REST side', async () => {
    const script = await (await fetch(`${server.url}/api/swagger-ui-init.js`)).text();
    expect(script).toContain('/api/ws-docs/');
  });
});
