import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../src/lib/freePort.ts';
import { Application } from './support/application.ts';
import { newDatabase, query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call, newGroup, newUser, type TestUser } from './support/http.ts';
import { startServer, type TestServer } from './support/server.ts';
import { newDirectory, startProcess, sweep } from './support/serverProcess.ts';

const LISTED = { limit: 100, cursorCreatedAt: null };
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix} ${index + 1}`);
const dialogWith = ({ id }: TestUser) => ({ companionId: id, groupId: null });
const group = (groupId: string) => ({ companionId: null, groupId });

describe('A client', () => {
  let server: TestServer;
  let ann: TestUser;
  let bob: TestUser;
  const applications: Application[] = [];

  beforeAll(async () => {
    server = await startServer();
    [ann, bob] = [await newUser(server, 'Ann'), await newUser(server, 'Bob')];
  });
  afterEach(() => {
    for (const { client } of applications.splice(0)) client.close();
  });
  afterAll(async () => {
    await server.app.stop();
    await sweep();
  });

  function begin(at: { url: string }, { id: userId, token }: TestUser, ...state: [state?: Application['client']['state']]): Application {
    const application = new Application({ url: `${at.url.replace('http', 'ws')}/api/ws`, userId, token }, ...state);
    applications.push(application);
    return application;
  }
  const open = (...given: Parameters<typeof begin>) => begin(...given).online();

  test('gives every device of both users all that is written, with one and the same place', async () => {
    const [phone, laptop, other] = await Promise.all([open(server, ann), open(server, ann), open(server, bob)]);
    const { seq, rev, createdAt } = await phone.send(dialogWith(bob), 'From the phone');
    await laptop.send(dialogWith(bob), 'From the laptop');
    await other.send(dialogWith(ann), 'From Bob');
    const contents = ['From the phone', 'From the laptop', 'From Bob'];
    for (const device of [phone, laptop]) await eventually(() => expect(device.contents(dialogWith(bob))).toEqual(contents));
    await eventually(() => expect(other.contents(dialogWith(ann))).toEqual(contents));
    for (const { messages } of [phone, laptop, other]) expect(messages[0]).toMatchObject({ seq, rev, createdAt, senderId: ann.id });
    expect(laptop.messages[0]).toMatchObject({ senderName: 'Ann', notification: false });
  });

  test('gives a message to oneself once, on every device', async () => {
    const [phone, laptop] = await Promise.all([open(server, ann), open(server, ann)]);
    await phone.send(dialogWith(ann), 'Note');
    for (const device of [phone, laptop]) await eventually(() => expect(device.contents(dialogWith(ann))).toEqual(['Note']));
  });

  test('gives the life of a group, and tells whoever is out of it', async () => {
    const [owner, member] = await Promise.all([open(server, ann), open(server, bob)]);
    const groupId = await newGroup(server, ann);
    const params = { groupId, userId: bob.id, messageId: randomUUID(), message: 'added Bob' };
    const { item } = await owner.client.request('addUserInGroup', params);
    expect(item).toMatchObject({ groupId, message: 'added Bob' });
    await member.send(group(groupId), 'Hello');
    await owner.send(group(groupId), 'Welcome');
    await member.client.request('leaveGroup', { groupId, messageId: randomUUID(), message: 'left' });
    await eventually(() => expect(member.told('gone')).toEqual([{ groupId }]));
    await eventually(() => expect(owner.contents(group(groupId))).toEqual(['created', 'added Bob', 'Hello', 'Welcome', 'left']));
    expect(member.contents(group(groupId))).toEqual(['created', 'added Bob', 'Hello', 'Welcome']);
    expect(owner.messages.find(({ content }) => content === 'left')).toMatchObject({ notification: true, senderId: bob.id });
    await owner.client.request('dropGroup', { groupId });
    await eventually(() => expect(owner.told('gone')).toEqual([{ groupId }]));
  });

  test('tells on every device that a group is left, or dropped by somebody else', async () => {
    const [phone, laptop, owner] = await Promise.all([open(server, bob), open(server, bob), open(server, ann)]);
    const [left, dropped] = [await newGroup(server, ann), await newGroup(server, ann)];
    for (const groupId of [left, dropped]) {
      await owner.client.request('addUserInGroup', { groupId, userId: bob.id, messageId: randomUUID(), message: 'added' });
    }
    await phone.client.request('leaveGroup', { groupId: left, messageId: randomUUID(), message: 'left' });
    await eventually(() => expect(laptop.told('gone')).toEqual([{ groupId: left }]));
    await owner.client.request('dropGroup', { groupId: dropped });
    for (const device of [phone, laptop])
      await eventually(() => expect(device.told('gone')).toEqual([{ groupId: left }, { groupId: dropped }]));
  });

  test('goes on from its state: with what was written, begun, left and deleted in between', async () => {
    const carol = await newUser(server, 'Carol');
    const before = await open(server, carol);
    await before.send(dialogWith(ann), 'Before');
    before.client.close();
    const [annsClient, bobsClient] = [await open(server, ann), await open(server, bob)];
    await annsClient.send(dialogWith(carol), 'Will be deleted');
    await call(server, 'DELETE', `/dialogs/${ann.id}`, { token: carol.token });
    await annsClient.send(dialogWith(carol), 'After');
    await bobsClient.send(dialogWith(carol), 'From somebody new');
    const after = await open(server, carol, JSON.parse(JSON.stringify(before.client.state)));
    expect(after.contents(dialogWith(ann))).toEqual(['After']);
    expect(after.contents(dialogWith(bob))).toEqual(['From somebody new']);
    expect(after.told('cleared')).toEqual([{ companionId: ann.id, seq: 2 }]);
  });

  test.each([
    { changedSince: 'yesterday', positions: [] },
    { changedSince: null, positions: [{ companionId: 'nobody', groupId: null, rev: 1, seq: 1, isGone: false }] },
  ])('begins anew when the server does not understand its state, and tells once what is to be read anew: %j', async (state) => {
    const [dave, eve] = [await newUser(server, 'Dave'), await newUser(server, 'Eve')];
    const friend = await open(server, eve);
    await friend.send(dialogWith(dave), 'Before');
    const application = await open(server, dave, state);
    await friend.send(dialogWith(dave), 'After');
    await eventually(() => expect(application.contents(dialogWith(eve))).toEqual(['After']));
    expect(application.told('error')).toMatchObject([{ code: 'invalid_params' }]);
    expect(application.told('reset')).toEqual([{ ...dialogWith(eve), seq: 1, rev: 1 }]);
  });

  test('tells why it cannot connect to what is no server of this kind', async () => {
    const application = begin({ url: `${server.url}/elsewhere` }, ann);
    const loss = { code: 1006, reason: 'Unexpected server response: 404' };
    await eventually(() => expect(application.told('disconnected')[0]).toEqual(loss));
    expect(application.client.status).toBe('connecting');
  });

  test('answers what is asked, with types, and rejects with the error of the server', async () => {
    const { client } = await open(server, ann);
    const { data } = await client.request('listLastMessage', LISTED);
    expect(data.every(({ createdAt, rev }) => typeof createdAt === 'string' && rev > 0)).toBe(true);
    const refused = client.request('getlatestMessageGroup', { groupId: randomUUID(), ...LISTED });
    await expect(refused).rejects.toMatchObject({ code: 'not_a_member', message: 'User is not a member of this group' });
    await expect(client.request('listLastMessage', { limit: 0, cursorCreatedAt: null })).rejects.toMatchObject({
      code: 'invalid_params',
      issues: [{ path: 'limit' }],
    });
  });

  test('tells of the presence of those whom the application watches, and of nobody else', async () => {
    const [dave, eve] = [await newUser(server, 'Dave'), await newUser(server, 'Eve')];
    const watcher = await open(server, dave);
    await watcher.send(dialogWith(eve), 'Hello');
    await watcher.client.watchPresence([eve.id]);
    expect(watcher.told('userStatus')).toEqual([expect.objectContaining({ userId: eve.id, status: 'offline' })]);
    const watched = await open(server, eve);
    await eventually(() => expect(watcher.told('userStatus').at(-1)).toMatchObject({ userId: eve.id, status: 'online' }));
    watched.client.close();
    await eventually(() => expect(watcher.told('userStatus').at(-1)).toMatchObject({ userId: eve.id, status: 'offline' }));
    await expect(watcher.client.watchPresence([ann.id])).rejects.toMatchObject({ code: 'no_shared_chat' });
  });

  test('tells of the presence of all with whom the user shares a chat, though the application watches many others as well', async () => {
    const [dave, eve, frank] = [await newUser(server, 'Dave'), await newUser(server, 'Eve'), await newUser(server, 'Frank')];
    const before = await open(server, dave);
    for (const friend of [eve, frank]) await before.send(dialogWith(friend), 'Hello');
    const watcher = begin(server, dave);
    const strangers = names('Stranger', 200).map(() => randomUUID());
    await watcher.client.watchPresence([eve.id, ...strangers, frank.id]);
    await eventually(() => expect(watcher.told('userStatus')).toMatchObject([{ userId: eve.id }, { userId: frank.id }]));
    const reports = watcher.told('error').map(String);
    expect(reports).toHaveLength(2);
    for (const stranger of strangers) expect(reports.join()).toContain(stranger);
  });

  test('ends when its session ends, and tells so', async () => {
    const user = await newUser(server);
    const application = await open(server, user);
    await call(server, 'DELETE', '/profile', { token: user.token });
    await eventually(() => expect(application.told('unauthorized')).toHaveLength(1));
    expect(application.client.status).toBe('ended');
  });

  test('a server that is killed and started again costs no message, no order, and nothing twice', async () => {
    const databaseUrl = await newDatabase();
    const variables = { DATABASE_URL: databaseUrl, PORT: String(await freePort()), RATE_LIMITS: 'off' };
    const directory = await newDirectory();
    const first = await startProcess(directory, variables);
    const [one, other] = [await newUser(first, 'One'), await newUser(first, 'Other')];
    const [phone, laptop, friend] = await Promise.all([open(first, one), open(first, one), open(first, other)]);
    const groupId = await newGroup(first, one);
    await phone.client.request('addUserInGroup', { groupId, userId: other.id, messageId: randomUUID(), message: 'added' });
    const write = (application: Application, who: string, about: string) =>
      names(who, 20).flatMap((content) => [
        application.send(dialogWith(application === friend ? one : other), `${content} ${about}`),
        application.send(group(groupId), `${content} ${about}`),
      ]);
    const sends = [...write(phone, 'Phone', 'before'), ...write(laptop, 'Laptop', 'before'), ...write(friend, 'Friend', 'before')];
    await sends[0];
    await first.kill();
    sends.push(...write(phone, 'Phone', 'during'), ...write(friend, 'Friend', 'during'));
    const second = await startProcess(directory, variables);
    await Promise.all(sends);
    const count = sends.length + 2;
    const stored = await query<{ content: string; id: string }>(
      databaseUrl,
      `SELECT content, CASE WHEN kind = 'group' THEN conversations.id END AS id
       FROM messages JOIN conversations ON conversations.id = conversation_id ORDER BY rev`,
    );
    expect(stored).toHaveLength(count);
    const contents = (id: string | null) => stored.filter((row) => row.id === id).map(({ content }) => content);
    for (const [application, companion] of [
      [phone, other],
      [laptop, other],
      [friend, one],
    ] as const) {
      await eventually(() => expect(application.contents(dialogWith(companion))).toEqual(contents(null)));
      await eventually(() => expect(application.contents(group(groupId))).toEqual(contents(groupId)));
    }
    for (const who of ['Phone', 'Friend']) {
      const mine = contents(groupId).filter((content) => content.startsWith(who));
      expect(mine).toEqual(['before', 'during'].flatMap((about) => names(who, 20).map((content) => `${content} ${about}`)));
    }
    for (const { client } of applications) client.close();
    await second.stop();
  });
});
