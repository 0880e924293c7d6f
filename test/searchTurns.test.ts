import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { call } from './support/http.ts';
import { holdLock, type Lock } from './support/lock.ts';
import { expectUnderWay, METRICS_TOKEN, scrape } from './support/metrics.ts';
import { newCircle, newPerson, type Person, write } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

/** Searches of one user that may wait. */
const WAITING = 10;
/** Users who have a search under way at a time. */
const AT_ONCE = 3;

describe('Searches', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ METRICS_TOKEN });
  });
  let held: Lock | undefined;
  afterEach(async () => {
    await held?.release();
    held = undefined;
  });
  afterAll(() => server.app.stop());

  const newPeople = (count: number) => Promise.all(Array.from({ length: count }, () => newPerson(server)));
  const search = ({ socket }: Person) => socket.request('searchMessages', { text: 'word', limit: 1, cursor: null });
  const searches = (person: Person, count: number) => Array.from({ length: count }, () => search(person));
  const get = async ({ token }: Person, path: string) => (await call(server, 'GET', path, { token })).status;
  /** Until the lock is released no search in messages ends. */
  const holdSearches = async () => {
    held = await holdLock(server.databaseUrl, 'LOCK TABLE searched_messages');
    return held;
  };
  const waiting = async () => (await scrape(server))['messenger_queue_depth{queue="searches"}'];
  const release = async (asked: Promise<object>[]) => {
    await held?.release();
    held = undefined;
    for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ success: true });
  };

  test('of one user are under way one at a time, so that all others are served meanwhile', async () => {
    const [ann, bob, eve] = await newPeople(3);
    if (!ann || !bob || !eve) throw new Error('nobody is there');
    const lock = await holdSearches();
    const asked = searches(eve, 1 + WAITING);
    await eventually(async () => expect(await waiting()).toBe(WAITING));
    await write(ann, bob, 'Hello');
    asked.push(search(ann));
    await lock.awaited(2);
    await expectUnderWay(server, 2);
    await release(asked);
  });

  test('of all users are under way three at a time, so that sends do not wait for them', async () => {
    const [ann, bob, ...searchers] = await newPeople(6);
    if (!ann || !bob) throw new Error('nobody is there');
    const lock = await holdSearches();
    const asked = searchers.flatMap((searcher) => searches(searcher, WAITING));
    await lock.awaited(AT_ONCE);
    await eventually(async () => expect(await waiting()).toBe(searchers.length * WAITING - AT_ONCE));
    await write(ann, bob, 'Hello');
    await expectUnderWay(server, AT_ONCE);
    await release(asked);
    expect(await waiting()).toBe(0);
  });

  test('of one user that are too many are answered with busy, over WebSocket and HTTP, those for people too', async () => {
    const [eve, ann] = await newPeople(2);
    if (!eve || !ann) throw new Error('nobody is there');
    const groupId = await newCircle(server, [eve]);
    const lock = await holdSearches();
    const asked = searches(eve, 1 + WAITING);
    await lock.awaited(1);
    expect(await search(eve)).toMatchObject({ error: true, code: 'busy' });
    const paths = ['/messages/search?text=word', '/search?searchText=ann', `/search/users?searchText=ann&groupId=${groupId}`];
    for (const path of paths) expect(await get(eve, path)).toBe(503);
    expect(await get(ann, '/search?searchText=ann')).toBe(200);
    await release(asked);
    for (const path of paths) expect(await get(eve, path)).toBe(200);
  });

  test('that waited too long behind another are answered with busy', async () => {
    const [eve] = await newPeople(1);
    if (!eve) throw new Error('nobody is there');
    await holdSearches();
    const [first, ...others] = searches(eve, 3);
    // The database ends it.
    expect(await first).toMatchObject({ code: 'unavailable' });
    for (const other of others) expect(await other).toMatchObject({ code: 'busy' });
  });
});
