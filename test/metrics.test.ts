import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Metrics } from '../src/metrics.ts';
import { newDatabase } from './support/database.ts';
import { openProxy } from './support/databaseProxy.ts';
import { eventually } from './support/eventually.ts';
import { byHeader, bySubprotocol, handshake, opened } from './support/handshake.ts';
import { call, newUser } from './support/http.ts';
import { holdLock } from './support/lock.ts';
import { METRICS_TOKEN, readMetrics, scrape } from './support/metrics.ts';
import { heard, newCircle, newPerson, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

/** 40,000 bytes: the most that a message may have. */
const LARGEST = '😀'.repeat(10_000);

describe('The metrics', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ METRICS_TOKEN });
  });
  afterAll(() => server.app.stop());

  /** Waits until some values are there: what happens after an answer may come a moment later. */
  const expectMetrics = (expected: Record<string, unknown>, on = server) =>
    eventually(async () => expect(await scrape(on)).toMatchObject(expected));

  test('count requests by type and outcome, batches, deliveries and connections as they were', async () => {
    const own = await startServer({ METRICS_TOKEN }, server.databaseUrl);
    const [ann, bob, carl] = [await newPerson(own), await newPerson(own), await newPerson(own)];
    const groupId = await newCircle(own, [ann, bob, carl]);
    for (let time = 0; time < 5; time++) await write(ann, bob, 'Hello');
    for (let time = 0; time < 2; time++) await writeToGroup(ann, groupId, 'Hello');
    await ann.socket.fail('privateMessage', { messageId: randomUUID(), receiverId: bob.id, content: '' });
    await ann.socket.fail('privateMessage', { messageId: randomUUID(), receiverId: randomUUID(), content: 'Hello' });
    await ann.socket.fail('inventedByAClient', {});
    ann.socket.send('{');
    ann.socket.send({ type: 1, requestId: 'last' });
    await ann.socket.until(({ requestId }) => requestId === 'last');
    expect([await heard(bob), await heard(carl)].map(({ length }) => length)).toEqual([9, 3]);
    carl.socket.socket.close(4321);
    await bob.socket.close();
    await call(own, 'GET', '/profile');
    await call(own, 'GET', `/nothing/${randomUUID()}`);

    await expectMetrics(
      {
        'messenger_requests_total{type="privateMessage",outcome="ok"}': 5,
        'messenger_requests_total{type="privateMessage",outcome="invalid_params"}': 1,
        'messenger_requests_total{type="privateMessage",outcome="no_such_user"}': 1,
        'messenger_requests_total{type="messageInGroup",outcome="ok"}': 2,
        'messenger_requests_total{type="addUserInGroup",outcome="ok"}': 2,
        'messenger_requests_total{type="processor",outcome="unknown_type"}': 1,
        'messenger_requests_total{type="processor",outcome="invalid_json"}': 1,
        'messenger_requests_total{type="processor",outcome="invalid_frame"}': 1,
        messenger_deliveries_total: 12,
        'messenger_batch_size_count{kind="dialog_messages"}': 6,
        'messenger_batch_size_sum{kind="dialog_messages"}': 6,
        'messenger_batch_duration_seconds_count{kind="dialog_messages"}': 6,
        'messenger_batch_duration_seconds_sum{kind="dialog_messages"}': expect.toSatisfy((sum: number) => sum > 0 && sum < 10),
        'messenger_batch_size_count{kind="group_messages"}': 2,
        // Three who connect, and each of them once more when put into the group.
        'messenger_batch_size_sum{kind="sessions"}': 6,
        messenger_connections: 1,
        messenger_connections_opened_total: 3,
        'messenger_connections_closed_total{code="other"}': 1,
        'messenger_connections_closed_total{code="1005"}': 1,
        'messenger_http_request_duration_seconds_count{method="POST",route="/api/auth/login",status="200"}': 3,
        'messenger_http_request_duration_seconds_count{method="GET",route="/api/profile",status="401"}': 1,
        'messenger_http_request_duration_seconds_count{method="GET",route="other",status="404"}': 1,
      },
      own,
    );
    expect(await readMetrics(own)).not.toContain('inventedByAClient');
    await own.app.stop();
  });

  test('count how connections were refused and closed, also where the client never says', async () => {
    const own = await startServer({ METRICS_TOKEN, CORS_ORIGINS: 'https://chat.example.com' }, server.databaseUrl);
    const user = await newUser(own);
    await handshake(own, byHeader('no token'));
    await (await opened(own, bySubprotocol('no-token'))).closed;
    await handshake(own, { headers: { origin: 'https://evil.example' } });
    const [large, garbled, gone] = [
      await opened(own, byHeader(user.token)),
      await opened(own, byHeader(user.token)),
      await opened(own, byHeader(user.token)),
    ];
    large.socket.send('x'.repeat(1_000_000));
    garbled.socket.socket.send(Buffer.from([0xff]), { binary: false });
    gone.socket.socket.terminate();
    expect([(await large.closed).code, (await garbled.closed).code]).toEqual([1009, 1007]);
    const ending = await opened(own, bySubprotocol(user.token));
    await call(own, 'DELETE', '/profile', { token: user.token });
    await ending.closed;
    await expectMetrics(
      {
        'messenger_upgrades_refused_total{code="unauthorized"}': 2,
        'messenger_upgrades_refused_total{code="origin_refused"}': 1,
        'messenger_connections_closed_total{code="1009"}': 1,
        'messenger_connections_closed_total{code="1007"}': 1,
        'messenger_connections_closed_total{code="1006"}': 1,
        'messenger_connections_closed_total{code="4001"}': 1,
        messenger_connections: 0,
        messenger_connections_opened_total: 4,
      },
      own,
    );
    await own.app.stop();
  });

  test('count requests that are over the limit, and the connection that is closed for them', async () => {
    const own = await startServer({ METRICS_TOKEN, RATE_LIMITS: 'on' }, server.databaseUrl);
    const ann = await newPerson(own);
    const closed = ann.socket.closed();
    const kinds = [{ type: 'dropGroup' }, { type: 'nothing' }];
    for (let count = 0; count < 1_000; count++) ann.socket.send(kinds[count % kinds.length]);
    await closed;
    const refused = (type: string) =>
      ann.socket.frames.filter((frame) => 'error' in frame && frame.code === 'rate_limited' && frame.type === type);
    expect(refused('dropGroup').length).toBeGreaterThan(0);
    await expectMetrics(
      {
        'messenger_requests_total{type="dropGroup",outcome="rate_limited"}': refused('dropGroup').length,
        'messenger_requests_total{type="processor",outcome="rate_limited"}': refused('processor').length,
        'messenger_connections_closed_total{code="1008"}': 1,
      },
      own,
    );
    await own.app.stop();
  });

  test('count a reader that is dropped for being slow, also when it is gone before it reads why', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    bob.socket.socket.pause();
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 50 }, () => write(ann, bob, LARGEST)));
    bob.socket.socket.terminate();
    await expectMetrics({ messenger_slow_readers_dropped_total: 1, 'messenger_connections_closed_total{code="1013"}': 1 });
  });

  test('show what waits for a batch, and that nothing does when it is written', async () => {
    const ann = await newPerson(server);
    await write(ann, ann, 'Hello');
    const lock = await holdLock(server.databaseUrl, 'LOCK TABLE conversations IN EXCLUSIVE MODE');
    const first = write(ann, ann, 'Hello');
    await lock.awaited(1);
    const others = Array.from({ length: 7 }, () => write(ann, ann, 'Hello'));
    await expectMetrics({
      'messenger_queue_depth{queue="dialog_messages"}': 7,
      'messenger_queue_depth{queue="group_messages"}': 0,
      'messenger_pool_connections{pool="batches",state="busy"}': 1,
    });
    await lock.release();
    await Promise.all([first, ...others]);
    await expectMetrics({
      'messenger_queue_depth{queue="dialog_messages"}': 0,
      'messenger_pool_connections{pool="batches",state="busy"}': 0,
    });
  });

  test('show passwords that wait to be hashed', async () => {
    const own = await startServer({ METRICS_TOKEN, BCRYPT_ROUNDS: '10' }, server.databaseUrl);
    const body = { email: 'nobody@example.com', password: 'correct horse' };
    // Few, so that none waits for as long as a connection may be quiet.
    const attempts = Array.from({ length: 8 }, () => call(own, 'POST', '/auth/login', { body }));
    await expectMetrics({ 'messenger_queue_depth{queue="passwords"}': expect.toSatisfy((depth: number) => depth > 0) }, own);
    await Promise.all(attempts);
    await expectMetrics({ 'messenger_queue_depth{queue="passwords"}': 0 }, own);
    await own.app.stop();
  });

  test('show queries that wait for a connection to the database', async () => {
    const { token } = await newUser(server);
    const lock = await holdLock(server.databaseUrl, 'LOCK TABLE sessions');
    const requests = Array.from({ length: 15 }, () => call(server, 'GET', '/profile', { token }));
    await lock.awaited(10);
    await expectMetrics({
      'messenger_pool_connections{pool="models",state="busy"}': 10,
      'messenger_pool_waiting{pool="models"}': expect.toSatisfy((waiting: number) => waiting >= 5),
    });
    await lock.release();
    for (const { status } of await Promise.all(requests)) expect(status).toBe(200);
    await expectMetrics({ 'messenger_pool_waiting{pool="models"}': 0 });
  });

  test('show that the database is away, and that it is back', async () => {
    const proxy = await openProxy(await newDatabase());
    const own = await startServer({ METRICS_TOKEN }, proxy.url);
    await expectMetrics({ messenger_database_reachable: 1 }, own);
    await proxy.refuse();
    await expectMetrics({ messenger_database_reachable: 0 }, own);
    await proxy.accept();
    await expectMetrics({ messenger_database_reachable: 1 }, own);
    await own.app.stop();
    await proxy.close();
  });

  test('count a request that was given up by a server that stops once, also when it is done later', async () => {
    // Nobody can read the page of a server that has stopped.
    const counted = vi.spyOn(Metrics.prototype, 'countRequest');
    const proxy = await openProxy(server.databaseUrl);
    const own = await startServer({}, proxy.url);
    const ann = await newPerson(own);
    const [first, last] = [randomUUID(), randomUUID()];
    await write(ann, ann, 'Hello', last);
    proxy.freeze();
    // The second one begins when the first has failed, and is under way when the server gives it up.
    const react = (messageId: string) => ann.socket.request('addReaction', { receiverId: ann.id, messageId, emoji: '👍' });
    const answers = Promise.all([react(first), react(last)]);
    // What is no request is answered at once: then those before it have arrived.
    ann.socket.send('{');
    await ann.socket.until(({ type }) => type === 'processor');
    const stopped = own.app.stop();
    for (const answer of await answers) expect(answer).toMatchObject({ code: 'unavailable' });
    proxy.thaw();
    // The server lets the database go when nothing is under way there.
    await stopped;
    const unavailable = ['addReaction', 'unavailable'];
    expect(counted.mock.calls.filter(([type]) => type === 'addReaction')).toEqual([unavailable, unavailable]);
    counted.mockRestore();
    await proxy.close();
  });

  test('count an HTTP request whose client did not wait as aborted', async () => {
    const { token } = await newUser(server);
    const lock = await holdLock(server.databaseUrl, 'LOCK TABLE sessions');
    const impatient = new AbortController();
    const headers = { authorization: `Bearer ${token}` };
    const request = fetch(`${server.url}/api/profile`, { headers, signal: impatient.signal });
    await lock.awaited(1);
    impatient.abort();
    await expect(request).rejects.toThrow();
    await lock.release();
    await expectMetrics({
      'messenger_http_request_duration_seconds_count{method="GET",route="/api/profile",status="aborted"}': 1,
    });
  });
});

describe('/metrics', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ METRICS_TOKEN });
  });
  afterAll(() => server.app.stop());

  test('is read by whoever shows the token, which it does not repeat', async () => {
    const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).not.toContain(METRICS_TOKEN);
  });

  test('is refused with 401 without the token, with another, and with that of a user', async () => {
    const { token } = await newUser(server);
    const wrong = ['Bearer', `Bearer ${METRICS_TOKEN}x`, `Bearer ${METRICS_TOKEN.slice(1)}`, METRICS_TOKEN, `Bearer ${token}`];
    for (const authorization of [undefined, ...wrong]) {
      const response = await fetch(`${server.url}/metrics`, { headers: authorization ? { authorization } : {} });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      expect(await response.json()).toEqual({ message: 'Unauthorized', code: 'unauthorized' });
    }
    expect((await fetch(`${server.url}/metrics?token=${METRICS_TOKEN}`)).status).toBe(401);
  });

  test('is not there when no token is configured', async () => {
    const closed = await startServer({}, server.databaseUrl);
    for (const authorization of [`Bearer ${METRICS_TOKEN}`, 'Bearer undefined', 'Bearer ']) {
      expect((await fetch(`${closed.url}/metrics`, { headers: { authorization } })).status).toBe(404);
    }
    await closed.app.stop();
  });
});
