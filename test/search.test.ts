import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { call, newGroup, newUser, type TestUser } from './support/http.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const rows = z.object({ data: z.array(z.record(z.string(), z.string().nullable())) });
const refusal = z.object({ errors: z.array(z.object({ path: z.string() })) });
type Rows = z.output<typeof rows>['data'];

describe('search', () => {
  let server: TestServer;
  let me: TestUser;
  beforeAll(async () => {
    server = await startServer();
    me = await newUser(server, 'Searcher', null);
  });
  afterAll(() => server.app.stop());

  const ask = (path: string, given: Record<string, string>) =>
    call(server, 'GET', `${path}?${new URLSearchParams(given)}`, { token: me.token });
  async function search(searchText: string, limit = 100, path = '/search'): Promise<Rows> {
    return rows.parse((await ask(path, { searchText, limit: String(limit) })).body).data;
  }
  /** First names of people and names of groups, in the order they are answered. */
  const names = async (searchText: string, limit?: number) =>
    (await search(searchText, limit)).map(({ firstName, groupName }) => firstName ?? groupName);

  test.each(['/search', '/use-cases/search'])('%s answers people and my groups, with null for what the other kind has', async (path) => {
    const word = `Kind${path.length}`;
    const user = await newUser(server, word, 'Person');
    const groupId = await newGroup(server, me, `${word} people`);
    expect(await search(word.toLowerCase(), 100, path)).toEqual([
      { userId: user.id, firstName: word, lastName: 'Person', email: user.email, groupId: null, groupName: null },
      { userId: null, firstName: null, lastName: null, email: null, groupId, groupName: `${word} people` },
    ]);
  });

  test('finds any part of first name, last name, both together, or e-mail', async () => {
    const user = await newUser(server, 'Bartholomew', 'Wyvernstone');
    const [mailbox = ''] = user.email.split('@');
    for (const text of ['Barth', 'tholom', 'omew', 'Wyv', 'vernst', 'mew wyv', 'bartholomew  wyvernstone', mailbox, user.email.slice(3)]) {
      expect(await search(text)).toMatchObject([{ userId: user.id }]);
    }
    for (const text of ['wyvernstone bartholomew', 'bartholomewwyvernstone', 'wyvernstones']) expect(await search(text)).toEqual([]);
  });

  test.each([
    ['Фёдор', ['фёдор', 'ФЁДОР', 'федор', 'ЁДО']],
    ['Émilie', ['émilie', 'ÉMILIE', 'emilie', 'Émi', 'e\u0301milie']],
    ['İpekçi', ['İPEKÇİ', 'ipekçi', 'IPEKCI', 'i̇pek']],
    ['Großmann', ['grossmann', 'GROSSMANN', 'großmann', 'GROẞMANN', 'roß']],
    ['Οδυσσέας', ['ΟΔΥΣΣΈΑΣ', 'οδυσσεας', 'ΟΔΥΣΣΕΑΣ', 'σέας']],
    ['Νίκοςπαπάς', ['νίκος', 'ΝΊΚΟΣ', 'νικοσ', 'ςπα']],
    ['김민준', ['김', '민준', '김민준'.normalize('NFD')]],
    ['山田太郎', ['山', '田太', '太郎']],
    ['محمود', ['محمود', 'حمو']],
    ['दीपिका', ['दीपिका', 'पिका']],
    ['Zoë😀', ['zoe', 'ZOË', '😀']],
  ])('finds %s in any case and script', async (firstName, texts) => {
    const user = await newUser(server, firstName, null);
    for (const text of texts) expect({ [text]: (await search(text)).map(({ userId }) => userId) }).toEqual({ [text]: [user.id] });
  });

  test('takes %, _ and \\ as they are', async () => {
    const users = { '%': 'Per%cent', _: 'Under_score', '\\': 'Back\\slash', 'k\\s': 'Back\\slash', 'r%c': 'Per%cent', r_s: 'Under_score' };
    for (const name of new Set(Object.values(users))) await newUser(server, name, null);
    for (const [text, name] of Object.entries(users)) expect(await names(text)).toEqual([name]);
    for (const text of ['per_cent', 'under%score', 'b%h', '%%', '\\\\', "'", '\\%']) expect(await names(text)).toEqual([]);
  });

  test('answers what is the whole of a name first, then what begins one, then any other part', async () => {
    for (const name of ['Hakimuth', 'Kimuthson', 'Kimuth', 'Okimuth']) await newUser(server, name, null);
    await newUser(server, 'Zed', 'Kimuth');
    await newGroup(server, me, 'Kimuth');
    await newGroup(server, me, 'Kimuth and friends');
    await newGroup(server, me, 'All of Kimuth');
    const order = await names('kimuth');
    expect(new Set(order.slice(0, 3))).toEqual(new Set(['Kimuth', 'Zed']));
    expect(new Set(order.slice(3, 5))).toEqual(new Set(['Kimuthson', 'Kimuth and friends']));
    expect(new Set(order.slice(5))).toEqual(new Set(['Hakimuth', 'Okimuth', 'All of Kimuth']));
    expect(await names('kimuth', 3)).toEqual(order.slice(0, 3));
    expect(await names('kimuth', 5)).toEqual(order.slice(0, 5));
    expect(await names('kimuth', 1)).toEqual(order.slice(0, 1));
  });

  test('takes the whole name, or the whole e-mail, for whole', async () => {
    await newUser(server, 'Abelardine', 'Quxleyson');
    const user = await newUser(server, 'Abelardine', 'Quxley');
    await newUser(server, 'Cabelardine', 'Quxley');
    expect(await names('abelardine quxley')).toEqual(['Abelardine', 'Abelardine', 'Cabelardine']);
    expect(await search('abelardine quxley', 1)).toMatchObject([{ userId: user.id }]);
    expect(await search(user.email.toUpperCase(), 1)).toMatchObject([{ userId: user.id }]);
  });

  test('answers 20 rows when it is not told how many', async () => {
    await Promise.all(Array.from({ length: 25 }, () => newUser(server, 'Vqcrowd', null)));
    expect(rows.parse((await ask('/search', { searchText: 'vqcrowd' })).body).data).toHaveLength(20);
    expect(await search('vqcrowd')).toHaveLength(25);
    expect(await search('vqcrowd', 7)).toHaveLength(7);
  });

  test('finds neither me, nor groups that are not mine', async () => {
    const other = await newUser(server, 'Xqother', null);
    const theirs = await newGroup(server, other, 'Xqsecret');
    const mine = await newGroup(server, me, 'Xqmine');
    expect(await search('searcher')).toEqual([]);
    expect(await search(me.email)).toEqual([]);
    expect(new Set(await names('xq'))).toEqual(new Set(['Xqmine', 'Xqother']));
    const [othersSocket, socket] = [await connect(server, other), await connect(server, me)];
    const addition = { groupId: theirs, userId: me.id, messageId: randomUUID(), message: 'added' };
    await othersSocket.ask('addUserInGroup', addition);
    expect(await search('xqsecret')).toMatchObject([{ groupId: theirs }]);
    await socket.ask('leaveGroup', { groupId: theirs, messageId: randomUUID(), message: 'left' });
    await socket.ask('dropGroup', { groupId: mine });
    expect(await names('xq')).toEqual(['Xqother']);
  });

  test.each(['/search/users', '/use-cases/search-users'])('%s answers who is not in a group of mine', async (path) => {
    const word = `Outside${path.length}`;
    const [inside, outside] = [await newUser(server, word, 'In'), await newUser(server, word, 'Out')];
    const groupId = await newGroup(server, me, word);
    await (await connect(server, me)).ask('addUserInGroup', { groupId, userId: inside.id, messageId: randomUUID(), message: 'added' });
    expect(rows.parse((await ask(path, { searchText: word, groupId })).body).data).toEqual([
      { userId: outside.id, firstName: word, lastName: 'Out', email: outside.email },
    ]);
    expect(rows.parse((await ask(path, { searchText: 'searcher', groupId: groupId.toUpperCase() })).body).data).toEqual([]);
  });

  test('ranks those who are not in a group in the same way', async () => {
    const groupId = await newGroup(server, me);
    for (const name of ['Aplover', 'Ploverson', 'Plover']) await newUser(server, name, null);
    const order = rows.parse((await ask('/search/users', { searchText: 'plover', groupId })).body).data;
    expect(order.map(({ firstName }) => firstName)).toEqual(['Plover', 'Ploverson', 'Aplover']);
    expect(rows.parse((await ask('/search/users', { searchText: 'plover', groupId, limit: '1' })).body).data).toEqual(order.slice(0, 1));
  });

  test('tells nobody who is in a group of others, or in none', async () => {
    const theirs = await newGroup(server, await newUser(server));
    for (const groupId of [theirs, randomUUID()]) {
      expect(await ask('/search/users', { searchText: 'example', groupId })).toMatchObject({
        status: 403,
        body: { message: 'User is not a member of this group', code: 'not_a_member' },
      });
    }
  });

  test.each([
    ['no text', {}, 'searchText'],
    ['an empty text', { searchText: '' }, 'searchText'],
    ['white space', { searchText: ' \t ' }, 'searchText'],
    ['an accent without a letter', { searchText: '\u0301' }, 'searchText'],
    ['101 characters', { searchText: 'x'.repeat(101) }, 'searchText'],
    ['a NUL character', { searchText: 'a\0b' }, 'searchText'],
    ['a limit of 0', { searchText: 'x', limit: '0' }, 'limit'],
    ['a limit of 101', { searchText: 'x', limit: '101' }, 'limit'],
    ['a limit that is no number', { searchText: 'x', limit: 'all' }, 'limit'],
    ['half a row', { searchText: 'x', limit: '1.5' }, 'limit'],
  ])('does not take %s', async (_what, given, path) => {
    const groupId = randomUUID();
    for (const answer of [await ask('/search', given), await ask('/search/users', { ...given, groupId })]) {
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_params' } });
      expect(new Set(refusal.parse(answer.body).errors.map((error) => error.path))).toEqual(new Set([path]));
    }
  });

  test('does not take two texts, or a groupId that is none', async () => {
    const twice = await call(server, 'GET', '/search?searchText=a&searchText=b', { token: me.token });
    expect(twice).toMatchObject({ status: 400, body: { errors: [{ path: 'searchText' }] } });
    expect(await ask('/search/users', { searchText: 'x', groupId: '1' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'groupId' }] },
    });
  });

  test('takes 100 characters, also such as are written with two halves', async () => {
    for (const searchText of ['x'.repeat(100), '🙂'.repeat(100)]) expect((await ask('/search', { searchText })).status).toBe(200);
  });
});
