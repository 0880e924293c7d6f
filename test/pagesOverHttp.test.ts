import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { setTimes } from './support/chatTimes.ts';
import { call, newGroup, newUser, type TestUser } from './support/http.ts';
import { newPerson, type PageType, type Person, write } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { KINDS, Talk } from './support/talks.ts';

const DEFAULT_LIMIT = 50;
/** Messages of a conversation, those that tell of a group's members included, and chats of somebody. */
const MESSAGES = 102;
const CHATS = 51;
const CHATS_IN_PAIRS = (CHATS - 1) / 2;
/** As they stand in a query. */
const NO_LIMITS = ['', '1&limit=2', '9'.repeat(400), ...'0 -1 101 1.5 x 0x10 1e1 10.0 %2010 10%20 %2B10 %D9%A1'.split(' ')];

const page = z.strictObject({ data: z.array(z.record(z.string(), z.unknown())), nextCursor: z.string().nullable() });
const range = (length: number) => Array.from({ length }, (_, index) => index);

describe('Pages over HTTP', () => {
  let server: TestServer;
  /** Shares the database. */
  let another: TestServer;
  beforeAll(async () => {
    server = await startServer();
    another = await startServer({}, server.databaseUrl);
  });
  afterAll(() => Promise.all([server?.app.stop(), another?.app.stop()]));

  async function read({ token }: TestUser, path: string, query = '') {
    const { status, body } = await call(server, 'GET', `${path}?${query}`, { token });
    return { status, body };
  }

  /** Where a list is over HTTP and over the WebSocket. */
  interface List {
    path: string;
    type: PageType;
    of: object;
  }

  /** All pages, until one names no next one. Each has to be what the WebSocket gives. */
  async function readPages(reader: Person, { path, type, of }: List, limit: number | undefined) {
    const pages: z.output<typeof page>['data'][] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const query = new URLSearchParams(limit === undefined ? {} : { limit: String(limit) });
      if (cursor !== undefined) query.set('cursor', cursor);
      const { data, nextCursor } = page.parse((await read(reader, path, String(query))).body);
      expect(data).toEqual(await reader.socket.rows(type, { ...of, limit: limit ?? DEFAULT_LIMIT, cursorCreatedAt: cursor ?? null }));
      pages.push(data);
      cursor = nextCursor;
    }
    return pages;
  }

  const CHAT_LIST: List = { path: '/chats', type: 'listLastMessage', of: {} };
  function messagesOf(talk: Talk, reader: TestUser): List {
    const type = talk.kind === 'dialog' ? 'getlatestMessageDialog' : 'getlatestMessageGroup';
    return { path: `${talk.path(reader)}/messages`, type, of: talk.name(reader) };
  }

  test.for(KINDS)('of a %s neither skip nor repeat what was written at once, and none follows a full last one', async (kind) => {
    const [ann, bob] = [await newPerson(server), await newPerson(another)];
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const ids = range(MESSAGES - (await talk.history(ann)).length).map(() => randomUUID());
    const writes = ids.map((messageId, index) => {
      const { path, token } = index % 3 ? { path: talk.path(ann), ...ann } : { path: talk.path(bob), ...bob };
      return call(index % 2 ? server : another, 'POST', `${path}/messages`, { token, body: { messageId, content: 'Hello' } });
    });
    expect(new Set((await Promise.all(writes)).map(({ status }) => status))).toEqual(new Set([201]));
    for (const [limit, sizes] of [
      [undefined, [DEFAULT_LIMIT, DEFAULT_LIMIT, 2]],
      [34, [34, 34, 34]],
      [100, [100, 2]],
    ] as const) {
      const pages = await readPages(bob, messagesOf(talk, bob), limit);
      expect(pages.map(({ length }) => length)).toEqual(sizes);
      expect(pages.flat().map(({ seq }) => seq)).toEqual(range(MESSAGES).map((index) => MESSAGES - index));
      expect(pages.flat().map(({ messageId }) => messageId)).toEqual(expect.arrayContaining(ids));
    }
  });

  test('of chats neither skip nor repeat one, and do not cut through those with an equal time', async () => {
    const ann = await newPerson(another);
    await Promise.all(range(CHATS - 1).map((index) => newGroup(server, ann, `Group ${index}`)));
    await write(ann, ann, 'To myself');
    const moments = range(CHATS);
    const inPairs = moments.map((moment) => Math.floor(moment / 2));
    for (const [times, limit, sizes] of [
      [moments, undefined, [DEFAULT_LIMIT, 1]],
      [moments, 1, moments.map(() => 1)],
      [moments, 17, [17, 17, 17]],
      [moments, 100, [CHATS]],
      [inPairs, undefined, [CHATS]],
      [inPairs, 17, [17, 18, 16]],
      [inPairs, 1, [1, ...range(CHATS_IN_PAIRS).map(() => 2)]],
      [moments.map(() => 0), 1, [CHATS]],
      [moments.map(() => 0), CHATS, [CHATS]],
    ] as const) {
      await setTimes(server.databaseUrl, ann, [...times]);
      const pages = await readPages(ann, CHAT_LIST, limit);
      expect(pages.map(({ length }) => length)).toEqual(sizes);
      expect(new Set(pages.flat().map(({ messageId }) => messageId)).size).toBe(CHATS);
    }
  });

  test('are empty where I have nothing, and refused of a group of others', async () => {
    const [ann, bob, stranger] = [await newPerson(server), await newPerson(server), await newUser(server)];
    const talks = [await Talk.begin(server, 'dialog', [ann, bob]), await Talk.begin(server, 'group', [ann, bob])] as const;
    await talks[0].say(ann, 'Hello');
    const empty = { status: 200, body: { data: [], nextCursor: null } };
    for (const path of ['/chats', ...[ann.id, stranger.id, randomUUID()].map((id) => `/dialogs/${id}/messages`)])
      expect(await read(stranger, path)).toEqual(empty);
    for (const path of [talks[1].path(ann), `/groups/${ann.id}`, `/groups/${randomUUID()}`]) {
      const refused = { status: 403, body: { code: 'not_a_member', message: 'User is not a member of this group' } };
      expect(await read(stranger, `${path}/messages`)).toMatchObject(refused);
    }
  });

  test.for(['/chats', ...KINDS])('of %s take a limit from 1 to 100 and a time as cursor, and nothing else', async (list) => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const talk = await Talk.begin(server, list === 'group' ? 'group' : 'dialog', [ann, bob]);
    await talk.say(ann, 'Hello');
    const { path } = list === '/chats' ? CHAT_LIST : messagesOf(talk, ann);
    for (const [name, values] of [
      ['limit', NO_LIMITS],
      ['cursor', ['', 'null', 'x', '0', '2026-01-01', '2026-02-30T00:00:00.000Z', '1969-12-31T23:59:59.999Z', 'WzFd']],
    ] as const) {
      const refused = { status: 400, body: { code: 'invalid_params', errors: [{ path: name, message: expect.stringMatching(/./) }] } };
      for (const value of values) expect(await read(ann, path, `${name}=${value}`)).toMatchObject(refused);
    }
    expect(await read(ann, path, 'offset=1')).toMatchObject({ status: 400, body: { errors: [{ path: 'offset' }] } });
    for (const limit of [1, 100]) expect((await read(ann, path, `limit=${limit}`)).status).toBe(200);
  });
});
