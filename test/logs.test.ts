import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { byHeader, bySubprotocol, handshake, opened } from './support/handshake.ts';
import { call, newGroup, newUser, type TestUser } from './support/http.ts';
import { type LogLine, MARKER, PASSWORD_MARKER, readLog, secretsIn } from './support/logs.ts';
import { add, NEWEST, newPerson, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { embeddedUrl, newDirectory, startProcess, sweep } from './support/serverProcess.ts';

const AN_ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

describe('The log', () => {
  let server: TestServer;
  let user: TestUser;
  beforeAll(async () => {
    server = await startServer();
    user = await newUser(server);
  });
  afterAll(() => server.app.stop());

  /** Waits for a line: what is logged after an answer may come a moment later. */
  const logged = (wanted: (line: LogLine) => boolean, by = server): Promise<LogLine> =>
    eventually(async () => {
      const found = (await readLog(by)).find(wanted);
      if (!found) throw new Error('there is no such line');
      return found;
    });
  const idOf = ({ headers }: { headers: Headers }) => headers.get('x-request-id');

  test('has a line for each HTTP request, with the id that its answer has, whatever id the client sends', async () => {
    const headers = { 'x-request-id': 'of the client' };
    const answers = [
      await call(server, 'DELETE', `/dialogs/${randomUUID()}`, { token: user.token, headers }),
      await call(server, 'GET', '/profile', { headers }),
      await call(server, 'POST', '/auth/login', { body: '{', headers }),
    ];
    const requestIds = answers.map(idOf);
    for (const id of requestIds) expect(id).toMatch(AN_ID);
    expect(new Set(requestIds).size).toBe(3);
    const lines = await Promise.all(requestIds.map((id) => logged(({ requestId, msg }) => requestId === id && msg === 'request')));
    const seconds = expect.toSatisfy((value: number) => value > 0 && value < 10);
    expect(lines).toMatchObject([
      { level: 20, method: 'DELETE', route: '/api/dialogs/:companionId', status: '200', seconds },
      { level: 20, method: 'GET', route: '/api/profile', status: '401', seconds },
      { level: 20, method: 'POST', route: 'other', status: '400', seconds },
    ]);
  });

  test('lets a page of another origin read the id', async () => {
    const { headers } = await call(server, 'GET', '/profile', { headers: { origin: 'https://chat.example.com' } });
    expect(headers.get('access-control-expose-headers')).toContain('X-Request-Id');
  });

  test('tells when a connection is opened, breaks the protocol and is closed, with its id and its user', async () => {
    const { socket, closed } = await opened(server, bySubprotocol(user.token));
    const { connectionId, userId } = await logged(({ msg, userId }) => msg === 'connection opened' && userId === user.id);
    expect(connectionId).toMatch(AN_ID);
    expect(userId).toBe(user.id);
    socket.send('x'.repeat(1_000_000));
    await closed;
    const ids = { connectionId, userId };
    const isOf = (line: LogLine) => line.connectionId === connectionId;
    expect(await logged((line) => isOf(line) && line.msg === 'protocol error')).toMatchObject({
      ...ids,
      err: { message: 'Max payload size exceeded' },
    });
    expect(await logged((line) => isOf(line) && line.msg === 'connection closed')).toMatchObject({ ...ids, code: 1009 });
  });

  test('tells why a client was not let in', async () => {
    await handshake(server, { headers: { authorization: 'Basic abc' } });
    await handshake(server, { path: '/elsewhere' });
    for (const code of ['unauthorized', 'not_found']) {
      const { connectionId } = await logged(({ msg, code: of }) => msg === 'connection refused' && of === code);
      expect(connectionId).toMatch(AN_ID);
    }
  });

  test('has the reason of an unexpected failure, with the id that the client was told, and not what people wrote', async () => {
    const own = await startServer();
    await query(
      own.databaseUrl,
      `CREATE UNIQUE INDEX ON users (first_name) WHERE first_name = '${MARKER}';
       ALTER TABLE users ADD CONSTRAINT no_marker CHECK (last_name <> '${MARKER}');
       CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM NEW.content::int; RETURN NEW; END';
       CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.content LIKE '${MARKER}%') EXECUTE FUNCTION refuse()`,
    );
    const [ann, bob] = [await newPerson(own), await newPerson(own)];
    const rename = (person: TestUser, body: object) => call(own, 'PATCH', '/profile', { token: person.token, body });
    expect((await rename(ann, { firstName: MARKER })).status).toBe(200);
    const failures: [answer: { status: number; headers: Headers }, code: string][] = [
      [await rename(bob, { firstName: MARKER }), '23505'],
      [await rename(bob, { lastName: MARKER }), '23514'],
    ];
    for (const [answer, code] of failures) {
      expect(answer.status).toBe(500);
      const line = await logged(({ requestId, level }) => requestId === idOf(answer) && level === 50, own);
      expect(line).toMatchObject({ msg: 'unexpected failure', err: { code, stack: expect.stringContaining('at ') } });
    }
    const content = `${MARKER} and nobody else's`;
    const { code } = await ann.socket.fail('privateMessage', { messageId: randomUUID(), receiverId: bob.id, content });
    expect(code).toBe('internal');
    const line = await logged(({ userId, level }) => userId === ann.id && level === 50, own);
    expect(line).toMatchObject({ connectionId: expect.stringMatching(AN_ID), msg: 'unexpected failure', err: { code: '22P02' } });
    expect(await secretsIn(own.logFile)).toEqual([]);
    await own.app.stop();
  });

  test('holds nothing that people write, nor what opens their accounts, wherever it stands in a request', async () => {
    const ann = await newPerson(server);
    const account = { email: `${MARKER}-${randomUUID()}@example.com`, password: PASSWORD_MARKER };
    await call(server, 'POST', '/auth/register', { body: { firstName: MARKER, lastName: 'x', ...account } });
    await call(server, 'POST', '/auth/login', { body: { ...account, password: `${PASSWORD_MARKER}!` } });
    await call(server, 'POST', '/auth/login', { body: `{"password": "${PASSWORD_MARKER}"` });
    await call(server, 'PATCH', '/profile/password', {
      token: ann.token,
      body: { oldPassword: PASSWORD_MARKER, newPassword: PASSWORD_MARKER },
    });
    const search = `/search?searchText=${MARKER}`;
    expect((await call(server, 'GET', search, { token: ann.token })).status).toBe(200);
    expect((await call(server, 'GET', `${search}&token=${ann.token}`, { token: ann.token })).status).toBe(400);
    await call(server, 'GET', `/${MARKER}/${ann.token}?password=${PASSWORD_MARKER}`);
    await call(server, 'GET', '/profile', { token: `${ann.token}x`, headers: { cookie: `token=${ann.token}` } });

    const groupId = await newGroup(server, ann, MARKER);
    await write(ann, ann, MARKER);
    await writeToGroup(ann, groupId, MARKER);
    await expect(add(ann, groupId, { id: randomUUID() }, MARKER)).rejects.toThrow();
    await ann.socket.fail('privateMessage', { content: MARKER, token: ann.token, [MARKER]: 1 });
    await ann.socket.fail(MARKER, NEWEST);
    ann.socket.send(`{"content": "${MARKER}"`);
    ann.socket.send(Buffer.from(MARKER));
    await ann.socket.settle();
    ann.socket.socket.close(4000, MARKER);
    for (const offer of [byHeader, bySubprotocol])
      await handshake(server, { ...offer(`${ann.token}x`), path: `/api/ws?token=${ann.token}` });
    await handshake(server, { path: `/${ann.token}`, protocols: [ann.token] });
    await logged(({ userId, msg }) => userId === ann.id && msg === 'connection closed');
    expect(await secretsIn(server.logFile)).toEqual([]);
  });
});

describe('The log of the embedded PostgreSQL', () => {
  afterAll(sweep);

  test('has what failed, and not what people wrote', async () => {
    const dataDir = await newDirectory();
    const server = await startProcess(dataDir);
    const { token } = await newUser(server);
    await query(await embeddedUrl(dataDir), `ALTER TABLE users ADD CONSTRAINT no_marker CHECK (last_name <> '${MARKER}')`);
    expect((await call(server, 'PATCH', '/profile', { token, body: { lastName: MARKER } })).status).toBe(500);
    const log = path.join(dataDir, 'postgres', 'server.log');
    const text = await readFile(log, 'utf8');
    expect(text).toContain('violates check constraint "no_marker"');
    expect(text).not.toMatch(/\b(DETAIL|CONTEXT|STATEMENT):/);
    expect(await secretsIn(log)).toEqual([]);
  });
});

test('A log that holds what none may hold is found out', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'messenger-logs-'));
  const lines = [
    '{"token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"}',
    '{"email":"ann@example.com"}',
    '{"password":"correct horse"}',
    '{"url":"postgres://messenger:secret@127.0.0.1:5432/messenger"}',
    '{"content":"Hello"}',
    `{"msg":"${MARKER}"}`,
    `{"msg":"${PASSWORD_MARKER}"}`,
  ];
  const log = path.join(directory, 'one.log');
  await writeFile(log, ['{"msg":"stopping"}', ...lines, '{"msg":"stopped"}', ''].join('\n'));
  expect(await secretsIn(log)).toEqual(lines);
  await rm(directory, { recursive: true });
});
