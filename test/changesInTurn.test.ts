import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call, newUser, type TestUser } from './support/http.ts';
import { holdLock, whileItWaits } from './support/lock.ts';
import { METRICS_TOKEN, scrape } from './support/metrics.ts';
import { add, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { REQUESTS, setScene } from './support/scene.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

/** Users whose changes of a conversation wait for the one that is being made, and changes of one of them that wait for that; one more is refused. */
const MAX_WAITING = 100;
/** Connections to the database, and those that changes never have. */
const [POOL, SPARE] = [10, 2];
/** How many of them are asked for one after the other. */
const IN_ORDER = 5;
/** How long a change waits at most, in milliseconds. */
const PATIENCE = 5_000;

const reaction = z.strictObject({ emoji: z.literal('👍'), count: z.int(), mine: z.literal(true) });

describe('Changes of one conversation', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ METRICS_TOKEN });
  });
  afterAll(() => server.app.stop());

  const hold = (conversationId: string, take = holdLock) =>
    take(server.databaseUrl, 'SELECT FROM conversations WHERE id = $1 FOR UPDATE', [conversationId]);

  const expectWaiting = (count: number) =>
    eventually(async () => expect(await scrape(server)).toMatchObject({ 'messenger_queue_depth{queue="changes"}': count }));

  /** How many connections to the database wait for a conversation. */
  const waitingConnections = async () =>
    (await query(server.databaseUrl, `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`))
      .length;

  async function newPeople(count: number): Promise<[Person, ...Person[]]> {
    const people: [Person, ...Person[]] = [await newPerson(server)];
    while (people.length < count) {
      const more = Array.from({ length: Math.min(25, count - people.length) }, () => newPerson(server));
      people.push(...(await Promise.all(more)));
    }
    return people;
  }

  test('by everybody in it wait in order, a hundred at most, while others are served; then they are made', () =>
    whileItWaits(async (take) => {
      const [ann, ...others] = await newPeople(1 + MAX_WAITING);
      const oneMore = await newPerson(server);
      const bystander = await newPerson(server);
      const elsewhere = await newCircle(server, [bystander]);
      const [groupId, messageId] = [randomUUID(), randomUUID()];
      await ann.socket.ask('newGroup', { groupId, groupName: 'Crowd', userIds: others.map(({ id }) => id) });
      await add(ann, groupId, oneMore);
      await writeToGroup(ann, groupId, 'News', messageId);
      const react = async ({ socket }: Person, emoji = '👍') => {
        const begun = performance.now();
        const answer = await socket.request('addReaction', { groupId, messageId, emoji });
        return { answer, waited: performance.now() - begun };
      };
      // What everybody is told of the group takes no time any more from what follows.
      for (const { socket } of others) await socket.broadcast('messageInGroup');

      const lock = await hold(groupId, take);
      const reactions = [react(ann)];
      await lock.awaited(1);
      const [inOrder, atOnce] = [others.slice(0, IN_ORDER), others.slice(IN_ORDER)];
      for (const other of inOrder) {
        reactions.push(react(other));
        const received = once(other.socket.socket, 'pong');
        other.socket.socket.ping();
        await received;
      }
      // Before they give up waiting.
      reactions.push(...atOnce.map((other) => react(other)));
      await expectWaiting(MAX_WAITING);
      expect((await react(oneMore, '😀')).answer).toMatchObject({ error: true, code: 'busy' });
      expect(await waitingConnections()).toBe(1);
      const { email, password } = bystander;
      expect((await call(server, 'POST', '/auth/login', { body: { email, password } })).status).toBe(200);
      await bystander.socket.ask('updateGroup', { groupId: elsewhere, groupName: 'Quiet' });

      await lock.release();
      const answers = await Promise.all(reactions);
      const countsOf = (some: typeof answers) =>
        some.flatMap(({ answer }) =>
          ('success' in answer ? z.array(reaction).parse(answer.params.item?.reactions) : []).map(({ count }) => count),
        );
      const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
      expect(countsOf(answers.slice(0, 1 + IN_ORDER))).toEqual(upTo(1 + IN_ORDER));
      // A slow machine does not get to all of them in time.
      const late = answers.filter(({ answer }) => 'error' in answer);
      for (const { waited } of late) expect(waited).toBeGreaterThan(PATIENCE);
      const made = answers.length - late.length;
      expect(countsOf(answers).toSorted((one, other) => one - other)).toEqual(upTo(made));
      await expectWaiting(0);
      expect((await react(oneMore, '😀')).answer).toMatchObject({
        params: {
          item: {
            reactions: [
              { emoji: '👍', count: made, mine: false },
              { emoji: '😀', count: 1, mine: true },
            ],
          },
        },
      });
    }));

  test('that have waited for five seconds are not made any more', async () => {
    const people = await newPeople(6);
    const [ann] = people;
    const groupId = await newCircle(server, people);
    const messageId = randomUUID();
    await writeToGroup(ann, groupId, 'News', messageId);
    const lock = await hold(groupId);
    const ask = ({ socket }: Person) => socket.request('addReaction', { groupId, messageId, emoji: '👍' });
    const first = ask(ann);
    await lock.awaited(1);
    const answers: Awaited<ReturnType<typeof ask>>[] = [];
    const asked = people.slice(1).map(async (person) => answers.push(await ask(person)));
    expect(await first).toMatchObject({ error: true, code: 'unavailable' });
    // One of them may not have waited for quite as long when the first fails, and waits for the lock then: any, they came on many connections.
    await eventually(() => expect(answers.length).toBeGreaterThanOrEqual(asked.length - 1));
    await lock.release();
    await Promise.all(asked);
    const late = answers.filter((answer) => 'error' in answer && answer.code === 'busy');
    expect(late.length).toBeGreaterThanOrEqual(asked.length - 1);
    const made = answers.filter((answer) => 'success' in answer).length;
    expect(await query(server.databaseUrl, 'SELECT FROM reactions WHERE message_id = $1', [messageId])).toHaveLength(made);
    await expectWaiting(0);
    expect(await ask(ann)).toMatchObject({ params: { item: { reactions: [{ emoji: '👍', count: made + 1, mine: true }] } } });
  });

  test('by one who asks for very many do not keep out the others, members or not: users take turns', () =>
    whileItWaits(async (take) => {
      const [ann, bob, ...strangers] = await newPeople(5);
      if (!bob) throw new Error('nobody is there');
      const groupId = await newCircle(server, [ann, bob]);
      const messageId = randomUUID();
      await writeToGroup(ann, groupId, 'News', messageId);
      const react = async ({ token }: Person, emoji = '👍') => {
        const path = `/groups/${groupId}/messages/${messageId}/reactions`;
        return (await call(server, 'POST', path, { token, body: { emoji } })).status;
      };

      const lock = await hold(groupId, take);
      const first = react(ann, '😀');
      await lock.awaited(1);
      // One of them waits for the first one, and a hundred for that one.
      const many = Array.from({ length: 1 + MAX_WAITING + 1 }, () => react(bob));
      expect(await Promise.race(many)).toBe(503);
      await expectWaiting(1 + MAX_WAITING);
      const [others, next] = [strangers.map((stranger) => react(stranger)), react(ann)];
      await expectWaiting(1 + MAX_WAITING + strangers.length + 1);
      await lock.release();
      expect(await Promise.all([first, next, ...others])).toEqual([200, 200, ...strangers.map(() => 403)]);
      await Promise.all(many);
    }));

  test('of many conversations at once leave connections for everybody else', () =>
    whileItWaits(async (take) => {
      const [ann] = await newPeople(1);
      const groupIds = await Promise.all(Array.from({ length: 2 * POOL }, () => newCircle(server, [ann])));
      const lock = await take(server.databaseUrl, 'SELECT FROM conversations WHERE id = ANY ($1) FOR UPDATE', [groupIds]);
      const { token, email, password } = ann;
      const asked = groupIds.map((groupId) => call(server, 'PATCH', `/groups/${groupId}`, { token, body: { groupName: 'Renamed' } }));
      await expectWaiting(groupIds.length - (POOL - SPARE));
      await lock.awaited(POOL - SPARE);
      expect((await call(server, 'POST', '/auth/login', { body: { email, password } })).status).toBe(200);
      expect(await waitingConnections()).toBe(POOL - SPARE);
      await lock.release();
      for (const answer of await Promise.all(asked)) expect(answer.status).toBe(200);
    }));

  const TYPES = [
    'editMessage',
    'deleteMessage',
    'addReaction',
    'removeReaction',
    'updateGroup',
    'setGroupRole',
    'addUserInGroup',
    'removeUserFromGroup',
    'leaveGroup',
    'dropGroup',
  ];
  /** Asks three times at once: for what a scene of its own makes. */
  const expectOneConnection = (set: () => Promise<{ conversationId: string; ask: () => Promise<unknown> }>) =>
    whileItWaits(async (take) => {
      const { conversationId, ask } = await set();
      const lock = await hold(conversationId, take);
      const asked = Promise.all([ask(), ask(), ask()]);
      await expectWaiting(2);
      await lock.awaited(1);
      expect(await waitingConnections()).toBe(1);
      await lock.release();
      await asked;
    });

  test.for(TYPES)('hold one connection to the database: %s', (type) =>
    expectOneConnection(async () => {
      const scene = await setScene(server);
      const sockets = await Promise.all([scene.owner, scene.owner, scene.owner].map((owner) => connect(server, owner)));
      const ask = () => sockets.pop()?.request(type, REQUESTS[type]?.(scene)) ?? Promise.reject(new Error(type));
      return { conversationId: scene.groupId, ask };
    }),
  );

  test('hold one connection to the database: a group that is made again', () =>
    expectOneConnection(async () => {
      const owner = await newUser(server);
      const groupId = randomUUID();
      const make = () =>
        call(server, 'POST', '/groups', {
          token: owner.token,
          body: { groupId, groupName: 'Friends', notificationMessage: 'created', messageId: randomUUID() },
        });
      await make();
      return { conversationId: groupId, ask: make };
    }));

  test('hold one connection to the database: a dialog that is deleted for one of the two', () =>
    expectOneConnection(async () => {
      const [ann, bob]: [Person, TestUser] = [await newPerson(server), await newUser(server)];
      await write(ann, bob, 'Hello');
      const ask = () => call(server, 'DELETE', `/dialogs/${bob.id}`, { token: ann.token });
      return { conversationId: dialogId(ann.id, bob.id), ask };
    }));
});
