import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { MessengerClient } from '../client/index.ts';
import { query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import type { TestUser } from './support/http.ts';
import { add, deviceOf, heard, leave, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

describe('A message whose server ended before it told anybody, and that is sent again to another one', () => {
  let server: TestServer;
  /** Shares the database, but nobody on the other server hears of what it stores: as of one that was killed. */
  let killed: TestServer;
  const clients: MessengerClient[] = [];

  beforeAll(async () => {
    server = await startServer();
    killed = await startServer({}, server.databaseUrl);
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await Promise.all([server?.app.stop(), killed?.app.stop()]);
  });

  /** The application of somebody, on the client library: the texts that it is given from now on. */
  async function application({ id: userId, token }: TestUser): Promise<string[]> {
    const client = new MessengerClient({ url: `${server.url.replace('http', 'ws')}/api/ws`, userId, token, WebSocket });
    const texts: string[] = [];
    client.on('message', ({ content }) => texts.push(content));
    clients.push(client);
    await eventually(() => expect(client.status).toBe('online'));
    return texts;
  }

  const onKilled = async (person: Person) => ({ ...person, socket: await connect(killed, person) });
  const isGiven = (texts: string[], given: string[]) => eventually(() => expect(texts).toEqual(given));

  test('is given to the receiver and to the other devices of its sender; classic connections hear nothing', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const texts = await Promise.all([application(ann), application(bob)]);
    const messageId = randomUUID();
    await write(await onKilled(ann), bob, 'Hello', messageId);
    await write(ann, bob, 'Hello', messageId);
    for (const given of texts) await isGiven(given, ['Hello']);
    expect(await heard(bob)).toEqual([]);
  });

  test('is given to the members of its group', async () => {
    const [ann, bob, eve] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob]);
    const texts = await application(bob);
    const [messageId, addId] = [randomUUID(), randomUUID()];
    const annThere = await onKilled(ann);
    await writeToGroup(annThere, groupId, 'Hello', messageId);
    await writeToGroup(ann, groupId, 'Hello', messageId);
    await isGiven(texts, ['Hello']);
    await add(annThere, groupId, eve, addId);
    await add(ann, groupId, eve, addId);
    await isGiven(texts, ['Hello', 'added']);
  });
});

describe('What is asked for again with the same messageId', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  interface Names {
    groupId: string;
    /** Of a group that is not made yet. */
    newGroupId: string;
    memberId: string;
    strangerId: string;
  }
  const REPEATED: Record<string, (names: Names) => object> = {
    privateMessage: ({ memberId: receiverId }) => ({ receiverId, content: 'Hello' }),
    messageInGroup: ({ groupId }) => ({ groupId, content: 'Hello' }),
    addUserInGroup: ({ groupId, strangerId: userId }) => ({ groupId, userId, message: 'added' }),
    removeUserFromGroup: ({ groupId, strangerId: userId }) => ({ groupId, userId, message: 'removed' }),
    leaveGroup: ({ groupId }) => ({ groupId, message: 'left' }),
    newGroup: ({ newGroupId: groupId, memberId }) => ({ groupId, groupName: 'Friends', userIds: [memberId] }),
  };
  const TYPES = Object.keys(REPEATED);

  /** Does something, and returns who should hear of it, and what does it again, as if the first time had been so many seconds ago. */
  async function done(type: string) {
    const [ann, bob, eve] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    const members: [Person, ...Person[]] = type === 'removeUserFromGroup' ? [ann, bob, eve] : [ann, bob];
    const groupId = await newCircle(server, members);
    const [newGroupId, messageId] = [randomUUID(), randomUUID()];
    const params = { messageId, ...REPEATED[type]?.({ groupId, newGroupId, memberId: bob.id, strangerId: eve.id }) };
    await ann.socket.ask(type, params);
    const askAgainAfter = async (seconds: number) => {
      const doneAt = new Date(Date.now() - seconds * 1000);
      await query(server.databaseUrl, 'UPDATE messages SET created_at = $1 WHERE id = $2', [doneAt, messageId]);
      await query(server.databaseUrl, 'UPDATE conversations SET created_at = $1 WHERE id = $2', [doneAt, newGroupId]);
      await ann.socket.ask(type, params);
    };
    return { ann, groupId, listener: await deviceOf(server, bob, ['catchUp']), askAgainAfter };
  }

  test.each(TYPES)('a minute later by %s makes nobody catch up, and sooner whoever may have missed it', async (type) => {
    const { listener, askAgainAfter } = await done(type);
    await askAgainAfter(61);
    expect(await heard(listener)).toEqual([]);
    await askAgainAfter(50);
    await listener.socket.broadcast('catchUp');
  });

  test('a minute later by who has left the group since makes nobody catch up', async () => {
    const { ann, groupId, listener, askAgainAfter } = await done('messageInGroup');
    await leave(ann, groupId);
    await askAgainAfter(61);
    expect(await heard(listener, 'catchUp')).toEqual([]);
  });
});
