import { randomUUID } from 'node:crypto';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newDatabase, query } from './support/database.ts';
import { type DatabaseProxy, openProxy } from './support/databaseProxy.ts';
import { eventually } from './support/eventually.ts';
import { call } from './support/http.ts';
import { holdLock } from './support/lock.ts';
import { NEWEST, newCircle, newPerson, type Person, readAll, write, writeToGroup } from './support/people.ts';
import { newDirectory, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';
import { connect } from './support/socket.ts';

/** Longest wait for an answer while the database is away: for a connection, and then for a statement. */
const BOUND = 13_000;
const UNAVAILABLE = { error: true, code: 'unavailable', message: 'The database does not answer, try again' };

describe('While the database', () => {
  let databaseUrl: string;
  let proxy: DatabaseProxy;
  let server: ServerProcess;
  let ann: Person;
  let bob: Person;
  let groupId: string;

  beforeAll(async () => {
    databaseUrl = await newDatabase();
  });
  beforeEach(async () => {
    proxy = await openProxy(databaseUrl);
    server = await startProcess(await newDirectory(), { DATABASE_URL: proxy.url, RATE_LIMITS: 'off', LOG_LEVEL: 'info' });
    [ann, bob] = [await newPerson(server), await newPerson(server)];
    groupId = await newCircle(server, [ann, bob]);
    await write(ann, bob, 'Before');
  });
  afterEach(async () => {
    await server.kill();
    await proxy.close();
  });
  afterAll(sweep);

  const health = async (what: string) => (await fetch(`${server.url}/health/${what}`)).status;
  const outages = () => server.stdout.split('\n').filter((line) => line !== '').length;

  test.each([
    ['is silent', () => proxy.freeze(), () => proxy.thaw()],
    ['refuses connections', () => proxy.refuse(), () => proxy.accept()],
  ])('%s, everything is answered in time, and all is well soon after', async (_what, begin, end) => {
    const crowd = await Promise.all(Array.from({ length: 6 }, () => connect(server, bob)));
    // More than fits into a few batches of one dialog, which are written one after the other.
    const writeMuch = () =>
      crowd.flatMap((socket) =>
        Array.from({ length: 250 }, () =>
          socket.request('privateMessage', { messageId: randomUUID(), receiverId: ann.id, content: 'Much' }),
        ),
      );
    const usually = Date.now();
    await Promise.all(writeMuch());
    const usual = Date.now() - usually;
    await begin();
    const linesBefore = outages();
    const [messageId, groupMessageId] = [randomUUID(), randomUUID()];
    const begun = Date.now();
    const requests = [
      ann.socket.fail('privateMessage', { messageId, receiverId: bob.id, content: 'During' }),
      ann.socket.fail('messageInGroup', { messageId: groupMessageId, groupId, content: 'During' }),
      bob.socket.fail('listLastMessage', NEWEST),
      bob.socket.fail('getlatestMessageDialog', { receiverId: ann.id, ...NEWEST }),
      ...writeMuch(),
    ];
    const change = bob.socket.fail('addUserInGroup', { groupId, userId: randomUUID(), messageId: randomUUID(), message: 'added' });
    // More than there are connections in a pool.
    const pages = Array.from({ length: 25 }, () => ann.socket.fail('getlatestMessageGroup', { groupId, ...NEWEST }));
    const profiles = Array.from({ length: 25 }, () => call(server, 'GET', '/profile', { token: ann.token }));
    expect(await health('live')).toBe(200);
    expect(await health('ready')).toBe(503);
    for (const failure of await Promise.all([...requests, change])) expect(failure).toMatchObject(UNAVAILABLE);
    // Where nothing is heard for long, those that wait for others of the same user are given up first.
    for (const { code } of await Promise.all(pages)) expect(['unavailable', 'busy']).toContain(code);
    for (const profile of await Promise.all(profiles)) expect(profile).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    // A slow machine takes longer for so much, also when the database answers.
    expect(Date.now() - begun).toBeLessThan(BOUND + usual);
    expect(outages() - linesBefore).toBeLessThan(50);

    await end();
    await eventually(async () => {
      await write(ann, bob, 'During', messageId);
      await writeToGroup(ann, groupId, 'During', groupMessageId);
      expect(await health('ready')).toBe(200);
    });
    // The very sockets of before: nobody had to connect again. All pages: what the database heard late may be newer.
    const rows = await readAll(bob, 'getlatestMessageDialog', { receiverId: ann.id });
    expect(rows.filter((row) => row.messageId === messageId)).toHaveLength(1);
    expect(server.running).toBe(true);
    expect(server.stderr).toBe('');
  });

  test('works on one statement for too long, it is ended there too, and the client may try again', async () => {
    const lock = await holdLock(databaseUrl, 'LOCK TABLE members IN ACCESS EXCLUSIVE MODE');
    expect(await ann.socket.fail('listLastMessage', NEWEST)).toMatchObject(UNAVAILABLE);
    const waiting = `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    expect(await query(databaseUrl, waiting)).toEqual([]);
    await lock.release();
    expect(await ann.socket.rows('listLastMessage', NEWEST)).not.toEqual([]);
  });

  test('does not keep up, a full queue answers busy, and what was not refused is stored', async () => {
    const sockets = await Promise.all(Array.from({ length: 44 }, () => connect(server, ann)));
    // Made before the lock is held, and read without a check: the server waits for the lock for five seconds only.
    const done: { messageId: string; outcome: string }[] = [];
    const frames = sockets.map(({ socket }) => {
      socket.removeAllListeners('message').on('message', (data) => {
        const { code, requestId } = JSON.parse(String(data));
        done.push({ messageId: requestId, outcome: code ?? 'stored' });
      });
      const messageIds = Array.from({ length: 256 }, () => randomUUID());
      return messageIds.map((messageId) => {
        const params = { messageId, receiverId: bob.id, content: 'Many' };
        return JSON.stringify({ type: 'privateMessage', params, requestId: messageId });
      });
    });
    const lock = await holdLock(databaseUrl, 'LOCK TABLE conversations IN EXCLUSIVE MODE');
    for (const [index, { socket }] of sockets.entries()) for (const text of frames[index] ?? []) socket.send(text);
    await eventually(() => expect(done.some(({ outcome }) => outcome === 'busy')).toBe(true));
    await lock.release();
    await eventually(() => expect(done).toHaveLength(sockets.length * 256));
    const rows = await query<{ id: string }>(databaseUrl, `SELECT id FROM messages WHERE content = 'Many'`);
    const stored = new Set(rows.map(({ id }) => id));
    const idsOf = (wanted: string) => done.filter(({ outcome }) => outcome === wanted).map(({ messageId }) => messageId);
    expect(idsOf('stored')).not.toEqual([]);
    expect(idsOf('stored').filter((id) => !stored.has(id))).toEqual([]);
    expect(idsOf('busy').filter((id) => stored.has(id))).toEqual([]);
    await Promise.all(sockets.map((socket) => socket.close()));
  });

  test('is silent, a stop still ends in time with 0, and a probe on an open connection is told of it', async () => {
    proxy.freeze();
    const { hostname, port } = new URL(server.url);
    const socket = createConnection(Number(port), hostname);
    const answers = text(socket);
    const get = (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${ann.token}\r\n\r\n`);
    get('/api/profile');
    const closed = ann.socket.closed();
    const unanswered = ann.socket.fail('listLastMessage', NEWEST);
    expect(await health('live')).toBe(200);
    server.signal('SIGTERM');
    await eventually(() => expect(server.stdout).toContain('stopping'));
    get('/health/ready');
    expect(await unanswered).toMatchObject(UNAVAILABLE);
    expect((await closed).code).toBe(1012);
    expect(await server.exit()).toBe(0);
    expect(await answers).toContain('{"status":"stopping"}');
  });

  test('is silent, a stop ends in time with 0, however much waits: all of it is answered, and the client asked to come back', async () => {
    proxy.freeze();
    const leave = () => ann.socket.fail('leaveGroup', { groupId, messageId: randomUUID(), message: 'left' });
    const changes = Array.from({ length: 3 }, leave);
    const closed = ann.socket.closed();
    expect(await health('live')).toBe(200);
    server.signal('SIGTERM');
    for (const change of changes) expect(await change).toMatchObject(UNAVAILABLE);
    expect((await closed).code).toBe(1012);
    // Later it would be 1.
    expect(await server.exit()).toBe(0);
  });

  test('is silent, a second signal ends a stop at once with 1', async () => {
    proxy.freeze();
    const waiting = ann.socket.request('listLastMessage', NEWEST).catch(() => {});
    expect(await health('live')).toBe(200);
    await eventually(() => {
      server.signal('SIGTERM');
      expect(server.running).toBe(false);
    });
    expect(await server.exit()).toBe(1);
    expect(server.stdout).not.toContain('could not stop in time');
    await waiting;
  });
});
