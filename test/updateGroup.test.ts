import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from './support/http.ts';
import {
  A_TIME,
  add,
  deviceOf,
  heard,
  NASTY_TEXTS,
  NEWEST,
  newCircle,
  newPerson,
  type Person,
  setRole,
  writeToGroup,
} from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

describe('updateGroup', () => {
  let server: TestServer;
  let owner: Person;
  let admin: Person;
  let member: Person;
  let groupId: string;
  beforeAll(async () => {
    server = await startServer();
    [owner, admin, member] = [await newPerson(server), await newPerson(server), await newPerson(server)];
  });
  afterAll(() => server.app.stop());

  async function gather(): Promise<void> {
    groupId = await newCircle(server, [owner, admin, member], 'Friends');
    await setRole(owner, groupId, admin, 'admin');
    for (const { socket } of [owner, admin, member]) {
      await socket.settle();
      socket.frames.length = 0;
    }
  }
  const update = ({ socket }: Person, changes: object) => socket.ask('updateGroup', { groupId, ...changes });
  async function found({ token }: Person, searchText: string): Promise<unknown> {
    return (await call(server, 'GET', `/search?${new URLSearchParams({ searchText })}`, { token })).body;
  }

  test('answers with the group, as whoever asked sees it', async () => {
    await gather();
    const group = { groupId, groupName: 'Renamed', description: null, memberCount: 3, createdAt: A_TIME };
    expect(await update(owner, { groupName: 'Renamed' })).toEqual({ item: { ...group, role: 'owner' }, data: null, isBroadcast: false });
    expect((await update(admin, { description: 'About tea' })).item).toEqual({ ...group, role: 'admin', description: 'About tea' });
    expect((await update(owner, { groupName: 'Again', description: null })).item).toMatchObject({ groupName: 'Again', description: null });
    await update(owner, { description: 'About tea' });
    expect((await update(owner, { description: '' })).item).toMatchObject({ groupName: 'Again', description: null });
  });

  test('gives the next message, the pages, the chat list and the search another name, also without waiting for the answer', async () => {
    await gather();
    const groupName = `Чай ${randomUUID().slice(0, 8)}`;
    const updated = update(owner, { groupName });
    const sent = writeToGroup(owner, groupId, 'Hello');
    await Promise.all([updated, sent]);
    expect(await member.socket.broadcast('messageInGroup')).toMatchObject({ groupName });
    expect((await member.socket.rows('getlatestMessageGroup', { groupId, ...NEWEST }))[0]).toMatchObject({ groupName });
    expect((await member.socket.rows('listLastMessage', NEWEST))[0]).toMatchObject({ groupId, groupName });
    expect(await found(member, groupName.toUpperCase())).toMatchObject({ data: [{ groupId, groupName }] });
    await update(owner, { groupName: 'Coffee' });
    expect(await found(member, groupName)).toEqual({ data: [] });
  });

  test('tells those in the group who asked for it, my other devices among them, and not where I did it', async () => {
    await gather();
    const devices = await Promise.all([owner, admin, member].map((person) => deviceOf(server, person, ['groupUpdated'])));
    const acting = await deviceOf(server, admin, ['groupUpdated']);
    const stranger = await deviceOf(server, await newPerson(server), ['groupUpdated']);
    await update(acting, { groupName: 'Renamed', description: 'About tea' });
    const item = { companionId: null, groupId, groupName: 'Renamed', description: 'About tea', updatedBy: admin.id };
    for (const device of devices) {
      await device.socket.settle();
      expect(device.socket.broadcasts).toEqual([{ type: 'groupUpdated', success: true, params: { item, data: null, isBroadcast: true } }]);
    }
    for (const person of [owner, admin, member, acting, stranger]) expect(await heard(person)).toEqual([]);
  });

  test('to what it is already tells nobody of a change; who may have missed one is told to catch up', async () => {
    await gather();
    const [device, listener] = [await deviceOf(server, member, ['groupUpdated']), await deviceOf(server, member, ['catchUp'])];
    expect((await update(owner, { groupName: 'Friends', description: null })).item).toMatchObject({ groupName: 'Friends' });
    expect(await heard(device)).toEqual([]);
    await listener.socket.broadcast('catchUp');
  });

  test('by a plain member is refused, and changes nothing', async () => {
    await gather();
    const device = await deviceOf(server, owner, ['groupUpdated']);
    expect(await member.socket.fail('updateGroup', { groupId, groupName: 'Mine' })).toMatchObject({ code: 'not_an_admin' });
    expect(await heard(device)).toEqual([]);
    expect((await owner.socket.rows('listLastMessage', NEWEST))[0]).toMatchObject({ groupName: 'Friends' });
  });

  test('of what is no group of mine is refused', async () => {
    await gather();
    const stranger = await newPerson(server);
    const dropped = await newCircle(server, [stranger]);
    await stranger.socket.ask('dropGroup', { groupId: dropped });
    for (const groupId of [await newCircle(server, [owner]), dropped, randomUUID()]) {
      expect(await stranger.socket.fail('updateGroup', { groupId, groupName: 'Mine' })).toMatchObject({ code: 'not_a_member' });
    }
  });

  test.each([
    ['nothing to change', {}, ''],
    ['a name that is null', { groupName: null }, 'groupName'],
    ['a name with white space at its end', { groupName: 'Friends ' }, 'groupName'],
    ['a description of 1,001 characters', { description: 'x'.repeat(1_001) }, 'description'],
    ['a description with NUL in it', { description: '\0' }, 'description'],
  ])('with %s is refused', async (_what, changes, path) => {
    await gather();
    const failure = await owner.socket.fail('updateGroup', { groupId, ...changes });
    expect(failure).toMatchObject({ code: 'invalid_params', issues: [{ path }] });
  });

  test.each(NASTY_TEXTS)('carries %j unchanged in name and description', async (text) => {
    await gather();
    const groupName = text.slice(0, 64);
    expect((await update(owner, { groupName, description: text })).item).toMatchObject({ groupName, description: text });
    await add(owner, groupId, await newPerson(server));
    expect(await member.socket.broadcast('addUserInGroup')).toMatchObject({ groupName });
  });
});
