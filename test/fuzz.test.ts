import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ERRORS } from '../src/errors.ts';
import { REST_PATHS, requestOf } from './support/contract.ts';
import { newDatabase } from './support/database.ts';
import { call, newUser, type TestUser } from './support/http.ts';
import { changed, damaged, inPieces } from './support/mutations.ts';
import { newPerson, type Person } from './support/people.ts';
import { decodeFrames, encodeFrame, exchange, rawFrames } from './support/rawFrames.ts';
import { REQUESTS, type Scene, setScene } from './support/scene.ts';
import { newDirectory, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';
import { connect, type Frame, frame } from './support/socket.ts';

/** How long each kind of input is made, in milliseconds; all kinds at once. */
const DURATION = process.env.CI ? 30_000 : 5_000;
/** How long anything may take to be answered, or closed, in milliseconds. */
const PATIENCE = 10_000;
/** MiB that the process may have at the end, with a heap that would not hold more. */
const HEAP = 96;
const MEMORY = 256;
/** By the server for a peer that breaks RFC 6455 or a limit; a close of the client comes back with the code it has. */
const CLOSE_CODES = [1002, 1007, 1008, 1009];

const run = { numRuns: Number.POSITIVE_INFINITY, interruptAfterTimeLimit: DURATION, timeout: PATIENCE };
const failure = z.object({ message: z.string(), code: z.string() });
/** What may be answered, with its HTTP status: nothing is the server's own fault. */
const REFUSALS = new Map<string, number>(Object.entries(ERRORS).flatMap(([code, { status }]) => (status < 500 ? [[code, status]] : [])));

describe('whatever is sent', () => {
  let server: ServerProcess;
  let scene: Scene;
  let stopped = false;
  let chat: Promise<{ messages: number; slowest: number }>;

  beforeAll(async () => {
    const variables = { DATABASE_URL: await newDatabase(), RATE_LIMITS: 'off', NODE_OPTIONS: `--max-old-space-size=${HEAP}` };
    server = await startProcess(await newDirectory(), variables);
    scene = await setScene(server);
    chat = chatting(await newPerson(server), await newPerson(server));
    chat.catch(() => {});
  });
  afterAll(async () => {
    stopped = true;
    await sweep();
  });

  /** Two people who write to one another all the while. */
  async function chatting(ann: Person, bob: Person) {
    let [messages, slowest] = [0, 0];
    for (; !stopped; messages++) {
      const messageId = randomUUID();
      const start = performance.now();
      await ann.socket.ask('privateMessage', { messageId, receiverId: bob.id, content: 'Undisturbed' });
      await bob.socket.until((frame) => 'success' in frame && frame.params.item?.messageId === messageId);
      slowest = Math.max(slowest, performance.now() - start);
      ann.socket.frames.length = bob.socket.frames.length = 0;
      await delay(20);
    }
    return { messages, slowest };
  }

  /** Valid requests of the member, changed in their parts, damaged as text, or none at all. */
  function frames(): fc.Arbitrary<string> {
    const valid = fc.constantFrom(...Object.entries(REQUESTS)).map(([type, params]) => ({ type, params: params(scene) }));
    const request = fc.oneof(
      valid.chain(({ type, params }) => changed(params).map((params) => ({ type, params }))),
      valid.chain((request) => changed(request)),
      valid,
    );
    return fc.oneof(
      { weight: 4, arbitrary: request.map((request) => JSON.stringify(request)) },
      { weight: 2, arbitrary: request.chain((request) => damaged(Buffer.from(JSON.stringify(request)))).map(String) },
      fc.json({ stringUnit: 'binary' }),
      fc.string({ unit: 'binary' }),
    );
  }

  /** Returns the HTTP status that goes with the code. */
  function expectRefusal(code: string): number | undefined {
    expect(REFUSALS.has(code) ? 'a refusal' : code).toBe('a refusal');
    return REFUSALS.get(code);
  }

  function expectAnswer(answer: Frame): void {
    if ('error' in answer) expectRefusal(answer.code);
  }

  test.concurrent('as a frame gets exactly one answer, and never an internal error', { timeout: 2 * DURATION + PATIENCE }, async () => {
    const socket = await connect(server, scene.member);
    const owner = await connect(server, scene.owner);
    const back = () => ({ groupId: scene.groupId, userId: scene.member.id, messageId: randomUUID(), message: 'back' });
    const answers = () => socket.frames.filter((frame) => 'error' in frame || !frame.params.isBroadcast);
    const sent = fc.array(
      fc.oneof(
        { weight: 9, arbitrary: frames() },
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(sent, async (values) => {
        await owner.request('addUserInGroup', back());
        for (const value of values) socket.send(value);
        await socket.until(() => answers().length >= values.length);
        await socket.settle();
        expect(answers()).toHaveLength(values.length + 1);
        for (const answer of answers()) expectAnswer(answer);
        socket.frames.length = owner.frames.length = 0;
      }),
      run,
    );
    await Promise.all([socket.close(), owner.close()]);
  });

  const handshake = (token: string) =>
    Buffer.from(
      `GET /api/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );

  test.concurrent('as bytes on a WebSocket is answered, or closed as documented', { timeout: 2 * DURATION + PATIENCE }, async () => {
    const sent = fc.array(rawFrames(frames().map((text) => Buffer.from(text))), { minLength: 1, maxLength: 8 });
    const written = sent.chain((raw) => inPieces(Buffer.concat(raw.map(encodeFrame))).map((pieces) => ({ raw, pieces })));
    await fc.assert(
      fc.asyncProperty(written, fc.boolean(), async ({ raw, pieces }, atOnce) => {
        const [first = Buffer.alloc(0), ...rest] = pieces;
        const opening = handshake(scene.member.token);
        const received = await exchange(server, atOnce ? rest : pieces, atOnce ? Buffer.concat([opening, first]) : opening);
        const end = received.indexOf('\r\n\r\n');
        expect(received.subarray(0, end).toString()).toMatch(/^HTTP\/1\.1 101 /);
        const { texts, closes } = decodeFrames(received.subarray(end + 4));
        for (const text of texts) expectAnswer(frame.parse(JSON.parse(text)));
        const echoed = raw.flatMap(({ payload }) => (payload.length < 2 ? [] : Buffer.from(payload).readUInt16BE()));
        expect(closes.length).toBeLessThanOrEqual(1);
        for (const code of closes) expect([...CLOSE_CODES, ...echoed, 1005]).toContain(code);
      }),
      run,
    );
  });

  function expectHttp(status: number, body: unknown): void {
    if (status < 400) return;
    expect(status).toBe(expectRefusal(failure.parse(body).code));
  }

  test.concurrent('as a request over HTTP gets an answer that is not a failure of the server', {
    timeout: 2 * DURATION + PATIENCE,
  }, async () => {
    let user: TestUser = await newUser(server);
    const headers = fc.record(
      {
        authorization: fc.constantFrom('', 'Bearer', 'Bearer x', 'Basic eDp5', 'Bearer a.b.c'),
        'content-type': fc.constantFrom(
          '',
          'text/plain',
          'application/json; charset=utf-16',
          'application/json; charset=x',
          'multipart/form-data',
        ),
        'content-encoding': fc.constantFrom('gzip', 'deflate', 'br', 'x'),
        origin: fc.constantFrom('null', 'https://evil.example', '\xff'),
      },
      { requiredKeys: [] },
    );
    const request = fc.constantFrom(...REST_PATHS).chain((rest) => {
      const { path, body } = requestOf(rest, user, scene.groupId);
      const [address = '', query = ''] = path.split('?');
      const search = fc.oneof(
        fc.constant(query),
        fc.webQueryParameters(),
        damaged(Buffer.from(query)).map((bytes) => encodeURI(bytes.toString('latin1'))),
      );
      const valid = typeof body === 'object' && body ? body : {};
      const text = fc.oneof(
        changed(valid).map((value) => JSON.stringify(value)),
        damaged(Buffer.from(JSON.stringify(valid))).map(String),
        fc.json(),
      );
      const end = fc.oneof({ weight: 5, arbitrary: fc.constant('') }, fc.webPath());
      return fc
        .record({
          method: fc.oneof({ weight: 5, arbitrary: fc.constant(rest.method) }, fc.constantFrom('PUT', 'POST', 'DELETE')),
          search,
          text,
          end,
          headers,
        })
        .map((rest) => ({ ...rest, address }));
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ method, address, end, search, text, headers }) => {
        if ((await call(server, 'GET', '/profile', user)).status === 401) user = await newUser(server);
        const body = method === 'GET' ? undefined : text;
        const answer = await call(server, method, `${address}${end}?${search}`, { token: user.token, body, headers });
        expectHttp(answer.status, answer.body);
      }),
      run,
    );
  });

  test.concurrent('as the head of a request gets an answer or is closed, and is never a failure of the server', {
    timeout: 2 * DURATION + PATIENCE,
  }, async () => {
    const { token } = await newUser(server);
    const profile = `GET /api/profile HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 2\r\n\r\n{}`;
    const chunked =
      'POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n2\r\n{}\r\n0\r\n\r\n';
    const otherUpgrade =
      'POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}';
    const heads = [profile, chunked, otherUpgrade, 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'].map((text) => Buffer.from(text));
    const head = fc.constantFrom(handshake(token), ...heads).chain((bytes) => damaged(bytes));
    const whole = head.map((bytes) => Buffer.concat([bytes, Buffer.from('\r\n\r\n')]));
    const sent = fc.oneof(
      head.chain(inPieces).map((pieces) => ({ pieces, opening: undefined })),
      fc.tuple(whole, head).map(([opening, more]) => ({ pieces: [more], opening })),
    );
    await fc.assert(
      fc.asyncProperty(sent, async ({ pieces, opening }) => {
        const received = (await exchange(server, pieces, opening)).toString('latin1');
        expect(received).toMatch(/^(HTTP\/1\.1 [1-4]\d\d |$)/);
        expect(received).not.toMatch(/HTTP\/1\.1 5/);
      }),
      run,
    );
  });

  test('the process stays as it was, says nothing, and serves everybody else all the while', async () => {
    stopped = true;
    const { messages, slowest } = await chat;
    expect(messages).toBeGreaterThan(DURATION / 1_000);
    expect(slowest).toBeLessThan(PATIENCE);
    expect(server.running).toBe(true);
    expect(server.stderr).toBe('');
    expect(server.stdout).not.toMatch(/"level":[456]0/);
    const memory = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(server.pid)])) / 1024;
    expect(memory).toBeLessThan(MEMORY);
    expect(await server.stop()).toBe(0);
  });
});
