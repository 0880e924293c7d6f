import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { memoryOf } from '../bench/target.ts';
import { ERRORS } from '../src/errors.ts';
import { newDatabase } from './support/database.ts';
import { call, newUser, type TestUser } from './support/http.ts';
import { frames, handshake, heads, httpRequests } from './support/inputs.ts';
import { inPieces } from './support/mutations.ts';
import { newPerson, type Person } from './support/people.ts';
import { decodeFrames, encodeFrame, exchange, type RawFrame, rawFrames } from './support/rawFrames.ts';
import { type Scene, setScene } from './support/scene.ts';
import { newDirectory, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';
import { connect, type Frame, frame } from './support/socket.ts';

/** How long each kind of input is made, in milliseconds; all kinds at once. */
const DURATION = process.env.CI ? 30_000 : 5_000;
/** How long anything may take to be answered, or closed, in milliseconds. */
const PATIENCE = 30_000;
const TEST_TIMEOUT = 2 * DURATION + PATIENCE;
/** MiB that the heap may have, and bytes that the process may have at the end. */
const HEAP = 96;
const MEMORY = 256 * 1024 ** 2;
/** By the server for a peer that breaks RFC 6455 or a limit. */
const CLOSE_CODES = [1002, 1007, 1008, 1009];

const run = { numRuns: Number.POSITIVE_INFINITY, interruptAfterTimeLimit: DURATION, timeout: PATIENCE };
const failure = z.object({ message: z.string(), code: z.string() });
/** What may be answered, with its HTTP status: nothing is the server's own fault. */
const REFUSALS = new Map<string, number>(Object.entries(ERRORS).flatMap(([code, { status }]) => (status < 500 ? [[code, status]] : [])));

/** Whether the server may close with this code. A close of the client comes back with its own. */
function mayCloseWith(code: number, raw: RawFrame[]): boolean {
  // Where a length is a lie, nobody can tell what was taken for a close of the client.
  if (raw.some(({ claimed }) => claimed !== undefined)) return code !== 1011;
  const echoed = raw.map(({ payload }) => (payload.length < 2 ? 1005 : Buffer.from(payload).readUInt16BE()));
  return [...CLOSE_CODES, ...echoed].includes(code);
}

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

  /** Returns the HTTP status that goes with the code. */
  function expectRefusal(code: string): number | undefined {
    expect(REFUSALS.has(code) ? 'a refusal' : code).toBe('a refusal');
    return REFUSALS.get(code);
  }

  function expectAnswer(answer: Frame): void {
    if ('error' in answer) expectRefusal(answer.code);
  }

  test.concurrent('as a frame gets exactly one answer, and never an internal error', { timeout: TEST_TIMEOUT }, async () => {
    const socket = await connect(server, scene.member);
    const owner = await connect(server, scene.owner);
    const back = () => ({ groupId: scene.groupId, userId: scene.member.id, messageId: randomUUID(), message: 'back' });
    const answers = () => socket.frames.filter((frame) => 'error' in frame || !frame.params.isBroadcast);
    const sent = fc.array(
      fc.oneof(
        { weight: 9, arbitrary: frames(scene) },
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

  test.concurrent('as bytes on a WebSocket is answered, or closed as documented', { timeout: TEST_TIMEOUT }, async () => {
    const sent = fc.array(rawFrames(frames(scene).map((text) => Buffer.from(text))), { minLength: 1, maxLength: 8 });
    const written = sent.chain((raw) =>
      inPieces(Buffer.concat(raw.map(encodeFrame))).map(([first = Buffer.alloc(0), ...rest]) => ({ raw, first, rest })),
    );
    await fc.assert(
      fc.asyncProperty(written, async ({ raw, first, rest }) => {
        const opening = Buffer.concat([handshake(scene.member.token), first]);
        const received = await exchange(server, rest, opening);
        const end = received.indexOf('\r\n\r\n');
        expect(received.subarray(0, end).toString()).toMatch(/^HTTP\/1\.1 101 /);
        const { texts, closes } = decodeFrames(received.subarray(end + 4));
        for (const text of texts) expectAnswer(frame.parse(JSON.parse(text)));
        expect(closes.length).toBeLessThanOrEqual(1);
        for (const code of closes) expect(mayCloseWith(code, raw) ? 'documented' : code).toBe('documented');
      }),
      run,
    );
  });

  test.concurrent('as a request over HTTP gets an answer that is not a failure of the server', { timeout: TEST_TIMEOUT }, async () => {
    let user: TestUser = await newUser(server);
    await fc.assert(
      fc.asyncProperty(httpRequests(user, scene.groupId), async ({ method, path, query, body: text, headers }) => {
        // The last request may have deleted the account.
        if ((await call(server, 'GET', '/profile', user)).status === 401) user = await newUser(server);
        const body = method === 'GET' ? undefined : text;
        const { status, body: answer } = await call(server, method, `${path}?${query}`, { token: user.token, body, headers });
        if (status >= 400) expect(status).toBe(expectRefusal(failure.parse(answer).code));
      }),
      run,
    );
  });

  test.concurrent('as the head of a request gets an answer or is closed, and is never a failure of the server', {
    timeout: TEST_TIMEOUT,
  }, async () => {
    const { token } = await newUser(server);
    await fc.assert(
      fc.asyncProperty(heads(token), async ({ pieces, opening }) => {
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
    // Elsewhere there is no /proc to read it from.
    if (process.platform === 'linux') expect(await memoryOf(server.pid)).toBeLessThan(MEMORY);
    expect(await server.stop()).toBe(0);
  });
});
