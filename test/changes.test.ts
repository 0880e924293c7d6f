import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { call } from './support/http.ts';
import { A_TIME, heard, leave, newPerson, type Person } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { CHANGE_EVENTS, device, KINDS, type Row, Talk } from './support/talks.ts';

/** Each change of a message: what asks for it, over HTTP below the message, and tells of it, and what both say of the message. */
const CHANGES = {
  editMessage: {
    params: { content: 'Edited' },
    http: { method: 'PATCH', path: '', body: { content: 'Edited' } },
    event: 'messageEdited',
    news: { content: 'Edited', editedAt: A_TIME },
    mine: {},
  },
  deleteMessage: {
    params: {},
    http: { method: 'DELETE', path: '', body: undefined },
    event: 'messageDeleted',
    news: { deletedAt: A_TIME },
    mine: {},
  },
  addReaction: {
    params: { emoji: '👍' },
    http: { method: 'POST', path: '/reactions', body: { emoji: '👍' } },
    event: 'reactionsChanged',
    news: { reactions: [{ emoji: '👍', count: 1 }] },
    mine: { reactions: [{ emoji: '👍', count: 1, mine: true }] },
  },
  removeReaction: {
    params: { emoji: '😀' },
    http: { method: 'DELETE', path: `/reactions/${encodeURIComponent('😀')}`, body: undefined },
    event: 'reactionsChanged',
    news: { reactions: [] },
    mine: { reactions: [] },
  },
} as const;
type ChangeType = keyof typeof CHANGES;
const TYPES = Object.keys(CHANGES) as ChangeType[];
const CASES = KINDS.flatMap((kind) => TYPES.map((type) => ({ kind, type })));

/** What the event says of a reaction. */
function reactionOf({ id: userId }: Person, type: ChangeType): object {
  const { params } = CHANGES[type];
  return 'emoji' in params ? { userId, emoji: params.emoji, isAdded: type === 'addReaction' } : {};
}

/** A message that can be changed in that way, and not the first one of its conversation. A witness asked for events on another server. */
async function changeable(talk: Talk, by: Person, type: ChangeType, witness?: Person): Promise<Row> {
  await talk.say(by, 'Before');
  const messageId = await talk.say(by, 'Hello');
  if (type === 'removeReaction') {
    await talk.ask(by, 'addReaction', messageId, { emoji: '😀' });
    // Whoever asks for events from now on is not told of it any more.
    await witness?.socket.broadcast('reactionsChanged');
  }
  const [newest] = await talk.history(by);
  if (!newest) throw new Error('nothing was written');
  return newest;
}

describe.each([
  { where: 'one server', isShared: false },
  { where: 'two servers', isShared: true },
])('A change of a message, on $where,', ({ isShared }) => {
  let redis: RedisServer | undefined;
  let here: TestServer;
  let there: TestServer;
  beforeAll(async () => {
    if (isShared && !isRedisInstalled) return;
    redis = isShared ? await RedisServer.start() : undefined;
    here = await startServer(redis ? { REDIS_URL: redis.url } : {});
    there = redis ? await startServer({ REDIS_URL: redis.url }, here.databaseUrl) : here;
  });
  afterAll(async () => {
    await Promise.all([...new Set([here, there])].map((server) => server?.app.stop()));
    await redis?.stop();
  });
  const runs = test.skipIf(isShared && !isRedisInstalled);

  runs.for(CASES)('$type in a $kind: is told to everybody in it who asked, save the connection that did it', async ({ kind, type }) => {
    const [annClassic, bobClassic, eve] = [await newPerson(here), await newPerson(there), await newPerson(there)];
    const talk = await Talk.begin(here, kind, [annClassic, bobClassic]);
    const { messageId, seq, rev } = await changeable(talk, annClassic, type, await device(there, bobClassic));
    const ann = await device(here, annClassic);
    const told = [await device(here, annClassic), await device(there, annClassic), await device(here, bobClassic)];
    const bobThere = await device(there, bobClassic);
    const stranger = await device(there, eve);
    const others = await Promise.all(
      CHANGE_EVENTS.filter((event) => event !== CHANGES[type].event).map((event) => device(there, bobClassic, [event, 'ownMessages'])),
    );
    const { params, event, news, mine } = CHANGES[type];
    const before = new Map([annClassic, bobClassic].map((person) => [person, person.socket.broadcasts.length]));
    const { item } = await talk.ask(ann, type, messageId, params);
    expect(item).toEqual({ messageId, seq, rev: rev + 1, ...news, ...mine });
    for (const person of [...told, bobThere]) {
      const told = { ...talk.address(person), messageId, seq, rev: rev + 1, ...news, ...reactionOf(ann, type) };
      expect(await person.socket.broadcast(event)).toEqual(told);
    }
    // What comes after it has come to all of them: so nothing is on its way.
    await talk.say(annClassic, 'Afterwards');
    await bobThere.socket.until((frame) => 'success' in frame && frame.params.item?.message === 'Afterwards');
    for (const silent of [ann, stranger, ...others]) {
      expect((await heard(silent)).filter((one) => one?.message !== 'Afterwards')).toEqual([]);
    }
    for (const person of [...told, bobThere]) expect(await heard(person, event)).toHaveLength(1);
    for (const [person, count] of before) {
      const since = (await heard(person)).slice(count);
      expect(since.map((one) => one?.message)).toEqual(person.id === ann.id ? [] : ['Afterwards']);
    }
  });

  runs.for(CASES)('$type in a $kind: over HTTP too, and told to all my connections', async ({ kind, type }) => {
    const [ann, bob] = [await newPerson(here), await newPerson(there)];
    const talk = await Talk.begin(here, kind, [ann, bob]);
    const { messageId, seq, rev } = await changeable(talk, ann, type, await device(there, bob));
    const told = [await device(here, ann), await device(there, bob)];
    const { http, event, news, mine } = CHANGES[type];
    const request = { token: ann.token, body: http.body };
    const path = `${talk.path(ann)}/messages/${messageId.toUpperCase()}${http.path}`;
    const answer = { status: 200, body: { data: { messageId, seq, rev: rev + 1, ...news, ...mine } } };
    for (const server of [here, there]) expect(await call(server, http.method, path, request)).toEqual(expect.objectContaining(answer));
    for (const person of told) {
      const item = { ...talk.address(person), messageId, seq, rev: rev + 1, ...news, ...reactionOf(ann, type) };
      expect(await person.socket.broadcast(event)).toEqual(item);
      expect(await heard(person, event)).toHaveLength(1);
    }
  });

  runs.for(CASES.filter(({ type }) => type === 'editMessage' || type === 'deleteMessage'))(
    '$type in a $kind: over HTTP is refused to a member who did not write it',
    async ({ kind, type }) => {
      const [ann, bob] = [await newPerson(here), await newPerson(there)];
      const talk = await Talk.begin(here, kind, [ann, bob]);
      const { messageId } = await changeable(talk, ann, type, await device(there, bob));
      const { method, body } = CHANGES[type].http;
      const byBob = await call(there, method, `${talk.path(bob)}/messages/${messageId}`, { token: bob.token, body });
      expect(byBob).toMatchObject({ status: 403, body: { code: 'not_the_author' } });
    },
  );
});

describe('A change of a message', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  let eve: Person;
  beforeAll(async () => {
    server = await startServer();
    [ann, bob, eve] = [await newPerson(server), await newPerson(server), await newPerson(server)];
  });
  afterAll(() => server.app.stop());

  test.for(CASES)('$type in a $kind: is in every list, and found again after a cursor, once', async ({ kind, type }) => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const { messageId, rev } = await changeable(talk, ann, type);
    const { params, news, mine } = CHANGES[type];
    await talk.ask(ann, type, messageId, params);
    const [now] = await talk.missed(bob, rev);
    expect(await talk.missed(bob, rev)).toHaveLength(1);
    expect(await talk.missed(bob, rev - 1)).toHaveLength(1);
    expect(await talk.missed(bob, rev + 1)).toEqual([]);
    const notMine = 'reactions' in mine ? { reactions: mine.reactions.map((one) => ({ ...one, mine: false })) } : {};
    expect(now).toMatchObject({ messageId, rev: rev + 1, ...news, ...notMine });
    for (const [person, reactions] of [
      [ann, mine],
      [bob, notMine],
    ] as const) {
      const lists = await talk.newest(person);
      expect(lists).toHaveLength(3);
      for (const row of lists) expect(row).toMatchObject({ rev: rev + 1, ...news, ...reactions });
    }
  });

  test.for(CASES)('$type in a $kind: asked for again changes nothing, tells nobody, and is answered as before', async ({ kind, type }) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const { messageId } = await changeable(talk, ann, type);
    const first = await talk.ask(ann, type, messageId, CHANGES[type].params);
    const listener = await device(server, bob, [...CHANGE_EVENTS, 'catchUp']);
    const mine = await device(server, ann, ['catchUp']);
    expect(await talk.ask(ann, type, messageId, CHANGES[type].params)).toEqual(first);
    // The event of the first may have been lost, nobody can tell.
    for (const person of [listener, mine]) await person.socket.broadcast('catchUp');
    expect(await heard(listener)).toEqual([{}]);
  });

  test.for(CASES)('$type in a $kind: asked for again a minute later, makes nobody catch up', async ({ kind, type }) => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const { messageId } = await changeable(talk, ann, type);
    const first = await talk.ask(ann, type, messageId, CHANGES[type].params);
    const listeners = [await device(server, ann, ['catchUp']), await device(server, bob, ['catchUp'])];
    const askAgainAfter = async (seconds: number) => {
      const changedAt = new Date(Date.now() - seconds * 1000);
      await query(server.databaseUrl, 'UPDATE messages SET updated_at = $1 WHERE id = $2', [changedAt, messageId]);
      expect(await talk.ask(ann, type, messageId, CHANGES[type].params)).toEqual(first);
    };
    await askAgainAfter(61);
    for (const listener of listeners) expect(await heard(listener)).toEqual([]);
    await askAgainAfter(50);
    for (const listener of listeners) await listener.socket.broadcast('catchUp');
  });

  test.for(CASES)('$type in a $kind: is for those who can see the message', async ({ kind, type }) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const { messageId } = await changeable(talk, ann, type);
    const { params } = CHANGES[type];
    const state = await talk.history(ann);
    const listener = await device(server, bob);
    expect(await talk.refusal(ann, type, randomUUID(), params)).toBe('no_such_message');
    const refused = async (person: Person, name: object) => (await person.socket.fail(type, { ...name, messageId, ...params })).code;
    if (kind === 'dialog') {
      for (const name of [{ receiverId: ann.id }, { receiverId: bob.id }, { receiverId: randomUUID() }])
        expect(await refused(eve, name)).toBe('no_such_message');
    } else {
      for (const name of [talk.name(ann), { groupId: randomUUID() }]) expect(await refused(eve, name)).toBe('not_a_member');
    }
    for (const name of [{}, { receiverId: bob.id, groupId: randomUUID() }]) expect(await refused(ann, name)).toBe('invalid_params');
    // Named as if it were of the other kind.
    const other = kind === 'dialog' ? { groupId: bob.id } : { receiverId: bob.id };
    expect(await refused(ann, other)).toBe(kind === 'dialog' ? 'not_a_member' : 'no_such_message');
    expect(await talk.history(ann)).toEqual(state);
    expect(await heard(listener)).toEqual([]);
  });

  test.for(TYPES)('%s: is not for who has left the group', async (type) => {
    const talk = await Talk.begin(server, 'group', [ann, bob]);
    const { messageId } = await changeable(talk, bob, type);
    await leave(bob, talk.groupId ?? '');
    expect(await talk.refusal(bob, type, messageId, CHANGES[type].params)).toBe('not_a_member');
  });

  test.for(TYPES)('%s: of a message that one of the two has deleted with the dialog is for the other one alone', async (type) => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const { messageId, rev } = await changeable(talk, ann, type);
    expect((await call(server, 'DELETE', `/dialogs/${ann.id}`, { token: bob.token })).status).toBe(200);
    const [annsOther, bobs] = [await device(server, ann), await device(server, bob)];
    expect(await talk.refusal(bob, type, messageId, CHANGES[type].params)).toBe('no_such_message');
    await talk.ask(ann, type, messageId, CHANGES[type].params);
    await annsOther.socket.broadcast(CHANGES[type].event);
    await talk.say(ann, 'New');
    await bobs.socket.broadcast('privateMessage');
    expect(await heard(bobs, CHANGES[type].event)).toEqual([]);
    expect(await talk.missed(bob, rev)).toMatchObject([{ content: 'New', rev: rev + 2 }]);
    expect(await talk.missed(ann, rev)).toMatchObject([{ messageId, rev: rev + 1 }, { content: 'New' }]);
  });

  test('begins when what was asked for before is done: nothing has to be waited for', async () => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const messageId = randomUUID();
    const contents = Array.from({ length: 20 }, (_, index) => `Version ${index}`);
    const asked = [
      talk.say(ann, 'Hello', { messageId }),
      ...contents.map((content) => talk.ask(ann, 'editMessage', messageId, { content })),
      talk.ask(ann, 'addReaction', messageId, { emoji: '👍' }),
      talk.ask(ann, 'removeReaction', messageId, { emoji: '👍' }),
      talk.ask(ann, 'addReaction', messageId, { emoji: '😀' }),
      talk.say(ann, 'Afterwards'),
    ];
    await Promise.all(asked);
    const [after, row] = await talk.history(bob);
    expect(after).toMatchObject({ content: 'Afterwards' });
    expect(row).toMatchObject({ messageId, content: 'Version 19', reactions: [{ emoji: '😀', count: 1, mine: false }] });
  });
});
