import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, newUser } from './support/http.ts';
import { add, heard, NEWEST, newCircle, newPerson, type Person, write } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

/** Bytes of the largest frame: 64 KiB, and 12 for each character of the longest message. */
const MOST = 64 * 1024 + 12 * 10_000;

describe('the envelope', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  let groupId: string;
  beforeAll(async () => {
    server = await startServer();
    [ann, bob] = [await newPerson(server, 'Ann'), await newPerson(server, 'Bob')];
    groupId = await newCircle(server, [ann, bob]);
    await write(ann, bob, 'Hello');
  });
  afterAll(() => server.app.stop());

  /** The frames that `raw` is answered with on a fresh connection, which must serve another request after it. */
  async function answersTo(raw: unknown) {
    const socket = await connect(server, ann);
    socket.send(raw);
    await socket.until(() => true);
    await socket.settle();
    await socket.close();
    return socket.frames.slice(0, -1);
  }

  test.each([
    '',
    ' ',
    'hello',
    '{',
    '{"type":"listLastMessage"',
    "{'type':'listLastMessage'}",
    '{"type":"listLastMessage"}{"type":"listLastMessage"}',
    'undefined',
    'NaN',
    '\u0000',
  ])('%j, which is not JSON, is an error of the processor', async (raw) => {
    const error = { error: true, type: 'processor', message: expect.stringMatching(/./), code: 'invalid_json' };
    expect(await answersTo(raw)).toEqual([error]);
  });

  test.each([
    'null',
    'true',
    '42',
    '"listLastMessage"',
    '[]',
    '[{"type":"listLastMessage","params":{"limit":1,"cursorCreatedAt":null}}]',
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  ])('%.60s, which is no object, is an error of the processor', async (raw) => {
    const issues = [{ path: '', message: 'must be an object' }];
    expect(await answersTo(raw)).toEqual([
      { error: true, type: 'processor', message: expect.stringMatching(/./), code: 'invalid_frame', issues },
    ]);
  });

  test.each([
    '{}',
    '{"params":{"limit":1,"cursorCreatedAt":null}}',
    '{"type":null}',
    '{"type":7}',
    '{"type":["listLastMessage"]}',
    '{"type":{"toString":"listLastMessage"}}',
    '{"Type":"listLastMessage"}',
    '{"__proto__":{"type":"listLastMessage"}}',
  ])('%.60s, which is no request, is an error of the processor', async (raw) => {
    const error = { error: true, type: 'processor', message: expect.stringMatching(/./), code: 'invalid_frame' };
    expect(await answersTo(raw)).toEqual([error]);
  });

  test.each([
    'nothing',
    '',
    ' ',
    'listlastmessage',
    'listLastMessage ',
    'processor',
    'error',
    '__proto__',
    'constructor',
    'toString',
    'size',
    'get',
  ])('the type %j is not known', async (type) => {
    const error = { error: true, type: 'processor', message: 'There is no such type', code: 'unknown_type', requestId: 1 };
    expect(await answersTo({ type, params: {}, requestId: 1 })).toEqual([error]);
  });

  test('a binary frame is an error, and what it asks is not done', async () => {
    const params = { messageId: randomUUID(), receiverId: bob.id, content: 'In binary' };
    const raw = Buffer.from(JSON.stringify({ type: 'privateMessage', params, requestId: 1 }));
    expect(await answersTo(raw)).toEqual([{ error: true, type: 'processor', message: expect.stringMatching(/./), code: 'invalid_frame' }]);
    const [newest] = await bob.socket.rows('getlatestMessageDialog', { receiverId: ann.id, ...NEWEST });
    expect(newest).toMatchObject({ content: 'Hello' });
  });

  test.each(['id', '', '0', 'ё🙂\n"', 'x'.repeat(1_000), 0, -1, 1.5, 9_007_199_254_740_991])(
    'requestId %j is repeated as it is',
    async (requestId) => {
      const requests = [
        { type: 'listLastMessage', params: { limit: 1, cursorCreatedAt: null }, requestId },
        { type: 'listLastMessage', params: { limit: 0, cursorCreatedAt: null }, requestId },
        { type: 'nothing', requestId },
        { requestId },
      ];
      const frames = (await Promise.all(requests.map(answersTo))).flat();
      expect(frames.map((frame) => frame.requestId)).toEqual([requestId, requestId, requestId, requestId]);
      expect(frames.map((frame) => ('error' in frame ? frame.code : 'ok'))).toEqual([
        'ok',
        'invalid_params',
        'unknown_type',
        'invalid_frame',
      ]);
    },
  );

  test('without a requestId the answer has none', async () => {
    const [answer] = await answersTo({ type: 'getlatestMessageGroup', params: { groupId, ...NEWEST } });
    expect(new Set(Object.keys(answer ?? {}))).toEqual(new Set(['params', 'success', 'type']));
    const [failure] = await answersTo({ type: 'dropGroup', params: { groupId: randomUUID() } });
    expect(new Set(Object.keys(failure ?? {}))).toEqual(new Set(['code', 'error', 'message', 'type']));
  });

  test.each([[null], [true], [['id']], [{ id: 1 }]])(
    'a requestId that is %j is an error of the processor, which names it',
    async (requestId) => {
      const [failure] = await answersTo({ type: 'listLastMessage', params: { limit: 1, cursorCreatedAt: null }, requestId });
      const issues = [{ path: 'requestId', message: 'must be text or a number' }];
      expect(failure).toMatchObject({ error: true, type: 'processor', code: 'invalid_frame', issues });
    },
  );

  test.each([
    ['listLastMessage', ['cursorCreatedAt', 'limit']],
    ['getlatestMessageDialog', ['cursorCreatedAt', 'limit', 'receiverId']],
    ['getlatestMessageGroup', ['cursorCreatedAt', 'groupId', 'limit']],
    ['privateMessage', ['content', 'messageId', 'receiverId']],
    ['messageInGroup', ['content', 'groupId', 'messageId']],
    ['addUserInGroup', ['groupId', 'message', 'messageId', 'userId']],
    ['leaveGroup', ['groupId', 'message', 'messageId']],
    ['dropGroup', ['groupId']],
  ])('%s without params is an error that names every field', async (type, paths) => {
    for (const params of [undefined, null, {}]) {
      const [failure] = await answersTo({ type, params });
      expect(failure).toMatchObject({ error: true, type, code: 'invalid_params' });
      const missing = paths.map((path) => ({ path, message: 'is missing' }));
      expect(failure && 'issues' in failure && new Set(failure.issues)).toEqual(new Set(missing));
    }
    for (const params of ['x', 1, true, [], [{}]]) {
      expect(await answersTo({ type, params })).toMatchObject([{ error: true, type, code: 'invalid_params' }]);
    }
  });

  test('a bad frame is answered to whoever sent it, and between good ones it stops none of them', async () => {
    const [socket, other] = [await connect(server, ann), await connect(server, ann)];
    const frames = ['{', { type: 'nothing' }, 'null', Buffer.from('x')];
    const asked = frames.map((frame) => {
      const answer = socket.rows('listLastMessage', NEWEST);
      socket.send(frame);
      return answer;
    });
    for (const rows of await Promise.all(asked)) expect(rows).toHaveLength(2);
    await Promise.all([socket.settle(), other.settle()]);
    expect(socket.frames.filter((frame) => frame.type === 'processor')).toHaveLength(frames.length);
    expect(other.frames).toHaveLength(1);
    await Promise.all([socket.close(), other.close()]);
  });

  test('a frame of a byte more than the most closes its connection with 1009, and no other; one of the most is served', async () => {
    const [socket, other] = [await connect(server, ann), await connect(server, ann)];
    const closed = socket.closed();
    const frame = JSON.stringify({ type: 'listLastMessage', params: NEWEST, requestId: 1 }).padEnd(MOST);
    other.send(frame);
    expect(await other.until(({ requestId }) => requestId === 1)).toMatchObject({ success: true });
    socket.send(`${frame} `);
    expect(await closed).toMatchObject({ code: 1009 });
    expect(socket.frames).toEqual([]);
    for (const { socket: open } of [{ socket: other }, ann, bob]) expect(await open.rows('listLastMessage', NEWEST)).toHaveLength(2);
    await other.close();
  });

  test('the longest message is not too large, however it is escaped', async () => {
    const content = '🙂'.repeat(10_000);
    const frame = JSON.stringify({
      type: 'privateMessage',
      params: { messageId: randomUUID(), receiverId: bob.id, content },
      requestId: 'long',
    });
    ann.socket.send(frame.replace(/[\ud800-\udfff]/g, (half) => `\\u${half.charCodeAt(0).toString(16)}`));
    expect(await ann.socket.until(({ requestId }) => requestId === 'long')).toMatchObject({ success: true });
    expect(await heard(bob, 'privateMessage')).toContainEqual(expect.objectContaining({ message: content }));
  });

  test('any JSON value is answered with exactly one error of the processor', async () => {
    const socket = await connect(server, ann);
    let sent = 0;
    const anything = fc.oneof(
      fc.jsonValue({ stringUnit: 'binary' }),
      fc.record({ type: fc.jsonValue(), params: fc.jsonValue(), requestId: fc.jsonValue() }, { requiredKeys: [] }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 20 }), async (values) => {
        for (const value of values) socket.send(JSON.stringify(value));
        sent += values.length;
        await socket.settle();
        const errors = socket.frames.filter((frame) => 'error' in frame && frame.type === 'processor');
        expect(errors).toHaveLength(sent);
      }),
      { numRuns: 60 },
    );
    await socket.close();
  });

  test('any change of valid requests gets exactly one answer to each, never an internal error, and the server stays up', async () => {
    const [carl, dora] = [await newPerson(server), await newUser(server)];
    await add(ann, groupId, carl);
    const [text, messageId] = ['Hello', () => randomUUID()];
    const valid = () => [
      { type: 'listLastMessage', params: { limit: 5, cursorCreatedAt: null } },
      { type: 'getlatestMessageDialog', params: { receiverId: ann.id, limit: 5, cursorCreatedAt: null } },
      { type: 'getlatestMessageGroup', params: { groupId, limit: 5, cursorCreatedAt: new Date().toISOString() } },
      { type: 'privateMessage', params: { messageId: messageId(), receiverId: ann.id, content: text } },
      { type: 'messageInGroup', params: { messageId: messageId(), groupId, content: text } },
      { type: 'addUserInGroup', params: { groupId, userId: dora.id, messageId: messageId(), message: text } },
      { type: 'leaveGroup', params: { groupId: randomUUID(), messageId: messageId(), message: text } },
      { type: 'dropGroup', params: { groupId } },
    ];
    const field = fc.constantFrom(
      'messageId',
      'receiverId',
      'content',
      'groupId',
      'groupName',
      'userId',
      'message',
      'limit',
      'cursorCreatedAt',
      '__proto__',
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }),
      fc.uuid(),
      fc.date({ noInvalidDate: false }).map((date) => String(date)),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.constantFrom('\0', '\ud800', '9'.repeat(400), 1e308, -0, 'infinity', '0000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'),
      fc.constant(undefined),
    );
    const mutation = fc.record({ which: fc.nat(7), changes: fc.dictionary(field, value, { maxKeys: 3 }) });
    const socket = await connect(server, carl);
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 20 }), async (mutations) => {
        const ids = mutations.map(({ which, changes }) => {
          const { type, params } = valid()[which] ?? {};
          const requestId = randomUUID();
          socket.send({ type, params: { ...params, ...changes }, requestId });
          return requestId;
        });
        await Promise.all(ids.map((id) => socket.until(({ requestId }) => requestId === id)));
        await socket.settle();
        for (const id of ids) {
          const [answer, ...more] = socket.frames.filter(({ requestId }) => requestId === id);
          expect(more).toEqual([]);
          expect(answer && 'error' in answer ? answer.code : 'ok').not.toMatch(/internal|unavailable|busy|processor/);
        }
        socket.frames.length = 0;
      }),
      { numRuns: 60 },
    );
    await socket.close();
    expect((await call(server, 'GET', '/profile', ann)).status).toBe(200);
  });
});
