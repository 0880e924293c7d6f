import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, newUser, type TestUser } from './support/http.ts';
import { newPerson, type Person, placeAt, write } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';
import { device, KINDS, type Kind, Talk } from './support/talks.ts';

const MAX_LENGTH = 20;

/** What a message to each kind of conversation is over the WebSocket, and how many come before the first. */
const OVER_SOCKET = { dialog: { type: 'privateMessage', count: 0 }, group: { type: 'messageInGroup', count: 2 } };

describe.each([
  { where: 'one server', isShared: false },
  { where: 'two servers', isShared: true },
])('Over HTTP, on $where,', ({ isShared }) => {
  let redis: RedisServer | undefined;
  let here: TestServer;
  let there: TestServer;
  let eves: Person[];
  beforeAll(async () => {
    if (isShared && !isRedisInstalled) return;
    redis = isShared ? await RedisServer.start() : undefined;
    const variables = { MAX_MESSAGE_LENGTH: `${MAX_LENGTH}`, ...(redis && { REDIS_URL: redis.url }) };
    here = await startServer(variables);
    there = redis ? await startServer(variables, here.databaseUrl) : here;
    const eve = await newPerson(here, 'Eve');
    eves = [eve, await another(there, eve)];
  });
  afterAll(async () => {
    await Promise.all([...new Set([here, there])].map((server) => server?.app.stop()));
    await redis?.stop();
  });
  const runs = test.skipIf(isShared && !isRedisInstalled);

  /** Another connection, which asked for nothing. */
  const another = async (server: TestServer, user: Person): Promise<Person> => ({ ...user, socket: await connect(server, user) });

  async function begin(kind: Kind) {
    const [ann, bob] = [await newPerson(here, 'Ann', 'Archer'), await newPerson(there, 'Bob')];
    return { ann, bob, talk: await Talk.begin(here, kind, [ann, bob]) };
  }

  async function ask(server: TestServer, { token }: TestUser, method: string, path: string, body?: object) {
    const answer = await call(server, method, path, { token, body });
    return { status: answer.status, body: answer.body };
  }
  const send = (server: TestServer, by: TestUser, talk: Talk, message: object) =>
    ask(server, by, 'POST', `${talk.path(by)}/messages`, { messageId: randomUUID(), content: 'Hello', ...message });

  /** All that a connection was told, also what was on its way: each server tells in order, and the last that it tells is waited for. */
  async function told(person: Person) {
    for (const eve of eves) {
      const messageId = randomUUID();
      await write(eve, person, 'The last', messageId);
      await person.socket.until((frame) => 'success' in frame && frame.params.item?.messageId === messageId);
    }
    const { broadcasts } = person.socket;
    return broadcasts.map(({ type, params: { item } }) => ({ type, item })).filter(({ item }) => item?.senderId !== eves[0]?.id);
  }

  runs.for(KINDS)('the same message to a %s, many times, is stored once and told once, to the others and to who asked', async (kind) => {
    const { ann, bob, talk } = await begin(kind);
    const { type, count } = OVER_SOCKET[kind];
    const receivers = [await another(here, bob), await another(there, bob)];
    const own = [await device(here, ann, ['ownMessages']), await device(there, ann, ['ownMessages'])];
    const silent = [ann, await another(here, ann), await another(there, ann)];
    const messageId = randomUUID();
    const atOnce = [here, there, here, there].map((server) => send(server, ann, talk, { messageId: messageId.toUpperCase() }));
    const [answer, ...same] = await Promise.all(atOnce);
    expect(answer).toEqual({ status: 201, body: { data: placeAt(count + 1) } });
    for (const server of [here, there]) same.push(await send(server, ann, talk, { messageId }));
    expect(same).toEqual(same.map(() => answer));
    await talk.say(ann, 'Hello', { messageId });
    const inGroup = { groupId: talk.groupId, groupName: 'Friends', notification: false };
    const item = {
      ...{ messageId, message: 'Hello', senderId: ann.id, senderName: 'Ann', senderLastName: 'Archer', replyTo: null },
      ...(kind === 'group' && inGroup),
      ...placeAt(count + 1),
    };
    for (const person of receivers) expect(await told(person)).toEqual([{ type, item }]);
    for (const person of own) expect(await told(person)).toEqual([{ type, item: { ...item, ...talk.address(ann) } }]);
    for (const person of silent) expect(await told(person)).toEqual([]);
    expect((await talk.history(bob)).map((row) => row.messageId)).toHaveLength(count + 1);
    expect((await talk.history(bob))[0]).toMatchObject({ messageId, content: 'Hello', senderId: ann.id });
  });

  runs('a message to oneself is told to nobody but who asked', async () => {
    const ann = await newPerson(here);
    const [classic, own] = [await another(there, ann), await device(there, ann, ['ownMessages'])];
    const talk = await Talk.begin(here, 'dialog', [ann, ann]);
    expect((await send(here, ann, talk, {})).status).toBe(201);
    for (const person of [ann, classic]) expect(await told(person)).toEqual([]);
    expect(await told(own)).toMatchObject([{ type: 'privateMessage', item: talk.address(ann) }]);
  });

  runs.for(KINDS)('a message to a %s can answer one of it, and none of another conversation', async (kind) => {
    const { ann, bob, talk } = await begin(kind);
    const elsewhere = await Talk.begin(here, 'dialog', [ann, ann]);
    const replyToId = await talk.say(bob, 'Shall we?');
    const [receiver, messageId] = [await another(there, bob), randomUUID()];
    for (const wrong of [await elsewhere.say(ann, 'A note'), randomUUID()]) {
      const refused = { status: 404, body: { code: 'no_such_message' } };
      expect(await send(here, ann, talk, { messageId, replyToId: wrong })).toMatchObject(refused);
    }
    expect((await send(here, ann, talk, { messageId, replyToId })).status).toBe(201);
    expect((await send(here, ann, talk, { replyToId: null })).status).toBe(201);
    const replyTo = { messageId: replyToId, senderName: 'Bob', content: 'Shall we?', deleted: false };
    expect(await told(receiver)).toMatchObject([{ item: { messageId, replyTo } }, { item: { replyTo: null } }]);
    expect((await talk.history(bob)).slice(0, 2)).toMatchObject([{ replyTo: null }, { messageId, replyTo }]);
  });

  runs.for(KINDS)('a message to a %s that is refused is neither stored nor told', async (kind) => {
    const { ann, bob, talk } = await begin(kind);
    const taken = await talk.say(bob, 'Mine');
    const [before, listeners] = [await talk.history(ann), [await another(there, bob), await device(there, ann, ['ownMessages'])]];
    const inPath = kind === 'dialog' ? 'userId' : 'groupId';
    for (const [path, wrong] of [
      ...['', 'x'.repeat(MAX_LENGTH + 1), 'a\0b', 'a\ud800b', ['x'], undefined].map((content) => ['content', { content }] as const),
      ...['1', undefined].map((messageId) => ['messageId', { messageId }] as const),
      ['replyToId', { replyToId: '1' }],
      ['senderId', { senderId: bob.id }],
      [inPath, { [inPath]: talk.groupId ?? bob.id }],
    ] as const) {
      const errors = [{ path, message: expect.stringMatching(/./) }];
      expect(await send(here, ann, talk, wrong)).toMatchObject({ status: 400, body: { code: 'invalid_params', errors } });
    }
    expect(await send(here, ann, talk, { messageId: taken })).toMatchObject({ status: 409, body: { code: 'message_id_taken' } });
    expect((await call(here, 'POST', `${talk.path(ann)}/messages`, { body: {} })).status).toBe(401);
    for (const listener of listeners) expect(await told(listener)).toEqual([]);
    expect(await talk.history(ann)).toEqual(before);
    for (const letter of ['x', '🙂']) expect((await send(here, ann, talk, { content: letter.repeat(MAX_LENGTH) })).status).toBe(201);
  });

  runs('nobody can write to nobody, nor into a group of others', async () => {
    const [{ talk }, ann, gone] = [await begin('group'), await newUser(here), await newUser(there)];
    await ask(there, gone, 'DELETE', '/profile');
    const message = { messageId: randomUUID(), content: 'Hello?' };
    for (const id of [randomUUID(), gone.id]) {
      const refused = { status: 404, body: { code: 'no_such_user', message: 'There is no such user' } };
      expect(await ask(here, ann, 'POST', `/dialogs/${id}/messages`, message)).toMatchObject(refused);
    }
    for (const path of [talk.path(ann), `/groups/${randomUUID()}`]) {
      const refused = { status: 403, body: { code: 'not_a_member', message: 'User is not a member of this group' } };
      expect(await ask(here, ann, 'POST', `${path}/messages`, message)).toMatchObject(refused);
    }
    expect((await ask(here, ann, 'GET', '/chats')).body).toEqual({ data: [], nextCursor: null });
  });
});
