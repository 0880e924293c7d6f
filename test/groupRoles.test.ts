import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from './support/http.ts';
import { A_TIME, add, deviceOf, heard, leave, newCircle, newPerson, type Person, remove, setRole } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

describe('in a group with roles', () => {
  let server: TestServer;
  let owner: Person;
  let admin: Person;
  let member: Person;
  let other: Person;
  let groupId: string;
  beforeAll(async () => {
    server = await startServer();
    [owner, admin, member, other] = [
      await newPerson(server),
      await newPerson(server, 'Ada', null),
      await newPerson(server),
      await newPerson(server),
    ];
  });
  afterAll(() => server.app.stop());

  /** A fresh group, in the order of their standing. */
  async function gather(): Promise<void> {
    groupId = await newCircle(server, [owner, admin, member, other]);
    await setRole(owner, groupId, admin, 'admin');
    for (const { socket } of [owner, admin, member, other]) {
      await socket.settle();
      socket.frames.length = 0;
    }
  }
  const fail = ({ socket }: Person, { id: userId }: { id: string }, role: string) => socket.fail('setGroupRole', { groupId, userId, role });
  async function roles(): Promise<string[]> {
    const rows = await member.socket.rows('getGroupMembers', { groupId, limit: 100, cursor: null });
    return [owner, admin, member, other].map(({ id }) => String(rows.find(({ userId }) => userId === id)?.role));
  }
  const roleChanged = (userId: string, role: string, changedBy: string) => ({ companionId: null, groupId, userId, role, changedBy });

  describe('setGroupRole', () => {
    test('answers with the member', async () => {
      await gather();
      const item = { userId: admin.id, firstName: 'Ada', lastName: null, role: 'member', joinedAt: A_TIME };
      expect(await setRole(owner, groupId, admin, 'member')).toEqual({ item, data: null, isBroadcast: false });
      expect(await roles()).toEqual(['owner', 'member', 'member', 'member']);
    });

    test('lets the owner make admins and members of the others', async () => {
      await gather();
      await setRole(owner, groupId, member, 'admin');
      await setRole(owner, groupId, admin, 'member');
      expect(await roles()).toEqual(['owner', 'member', 'admin', 'member']);
    });

    test('lets an admin make members admins, and nothing else', async () => {
      await gather();
      await setRole(admin, groupId, member, 'admin');
      for (const [person, role] of [
        [owner, 'admin'],
        [owner, 'member'],
        [member, 'member'],
        [member, 'owner'],
        [other, 'owner'],
      ] as const) {
        expect(await fail(admin, person, role)).toMatchObject({ code: 'not_the_owner' });
      }
      expect(await roles()).toEqual(['owner', 'admin', 'admin', 'member']);
    });

    test('is not for plain members, also where there is nothing to change', async () => {
      await gather();
      for (const role of ['owner', 'admin', 'member']) expect(await fail(member, other, role)).toMatchObject({ code: 'not_an_admin' });
      expect(await fail(member, { id: randomUUID() }, 'admin')).toMatchObject({ code: 'not_an_admin' });
    });

    test('hands the group over: the old owner is an admin then, and the new one may do all', async () => {
      await gather();
      expect((await setRole(owner, groupId, member, 'owner')).item).toMatchObject({ userId: member.id, role: 'owner' });
      expect(await roles()).toEqual(['admin', 'admin', 'owner', 'member']);
      expect(await owner.socket.fail('dropGroup', { groupId })).toMatchObject({ code: 'not_the_owner' });
      expect(await fail(owner, member, 'member')).toMatchObject({ code: 'not_the_owner' });
      // As who has lost the answer asks again.
      expect((await setRole(owner, groupId, member, 'owner')).item).toMatchObject({ role: 'owner' });
      await setRole(member, groupId, owner, 'member');
      expect(await member.socket.ask('dropGroup', { groupId })).toMatchObject({ item: { groupId } });
    });

    test('tells those who asked for it, my other devices among them, and not where I did it', async () => {
      await gather();
      const devices = await Promise.all([owner, admin, member].map((person) => deviceOf(server, person, ['roleChanged'])));
      const acting = await deviceOf(server, owner, ['roleChanged']);
      const stranger = await deviceOf(server, await newPerson(server), ['roleChanged']);
      await setRole(acting, groupId, member, 'admin');
      await setRole(acting, groupId, member, 'owner');
      const items = [
        roleChanged(member.id, 'admin', owner.id),
        roleChanged(member.id, 'owner', owner.id),
        roleChanged(owner.id, 'admin', owner.id),
      ];
      for (const device of devices) expect(await heard(device)).toEqual(items);
      expect(devices[0]?.socket.broadcasts[0]).toMatchObject({ type: 'roleChanged' });
      for (const person of [owner, admin, member, acting, stranger]) expect(await heard(person)).toEqual([]);
    });

    test('to what it is already tells nobody of a change; who may have missed one is told to catch up', async () => {
      await gather();
      const [device, listener] = [await deviceOf(server, member, ['roleChanged']), await deviceOf(server, member, ['catchUp'])];
      expect((await setRole(owner, groupId, admin, 'admin')).item).toMatchObject({ userId: admin.id, role: 'admin' });
      expect(await heard(device)).toEqual([]);
      await listener.socket.broadcast('catchUp');
    });

    test('of who is not in the group, of myself, or to what is no role is refused', async () => {
      await gather();
      await leave(other, groupId);
      for (const id of [other.id, randomUUID()]) expect(await fail(owner, { id }, 'admin')).toMatchObject({ code: 'no_such_member' });
      for (const person of [owner, admin, member]) {
        const refusal = { code: 'invalid_params', issues: [{ path: 'userId' }] };
        expect(await fail(person, { id: person.id.toUpperCase() }, 'admin')).toMatchObject(refusal);
      }
      expect(await fail(owner, admin, 'king')).toMatchObject({ code: 'invalid_params', issues: [{ path: 'role' }] });
    });
  });

  test('an admin who leaves and is added again is a plain member', async () => {
    await gather();
    await leave(admin, groupId);
    await add(member, groupId, admin);
    expect(await roles()).toEqual(['owner', 'member', 'member', 'member']);
  });

  test('the owner is followed by the longest-standing member, whatever the roles, and those who asked are told', async () => {
    await gather();
    await setRole(owner, groupId, admin, 'member');
    await setRole(owner, groupId, other, 'admin');
    const [device, heir] = [await deviceOf(server, other, ['roleChanged']), await deviceOf(server, admin, ['roleChanged'])];
    await leave(owner, groupId);
    expect(await roles()).toEqual(['undefined', 'owner', 'member', 'admin']);
    for (const person of [device, heir]) expect(await heard(person, 'roleChanged')).toEqual([roleChanged(admin.id, 'owner', owner.id)]);
    expect(await heard(member, 'roleChanged')).toEqual([]);
  });

  test('who has handed the group over and stays is followed by, and follows, as any other', async () => {
    await gather();
    await setRole(owner, groupId, member, 'owner');
    await leave(other, groupId);
    expect(await roles()).toEqual(['admin', 'admin', 'owner', 'undefined']);
    await leave(member, groupId);
    const rows = await admin.socket.rows('getGroupMembers', { groupId, limit: 100, cursor: null });
    expect(rows).toMatchObject([
      { userId: owner.id, role: 'owner' },
      { userId: admin.id, role: 'admin' },
    ]);
  });

  test('an owner whose account is deleted is followed in the same way', async () => {
    const [founder, heir] = [await newPerson(server), await newPerson(server)];
    groupId = await newCircle(server, [founder, heir, member]);
    const device = await deviceOf(server, member, ['roleChanged']);
    await call(server, 'DELETE', '/profile', { token: founder.token });
    expect(await heard(device, 'roleChanged')).toEqual([roleChanged(heir.id, 'owner', founder.id)]);
    expect(await remove(heir, groupId, member)).toMatchObject({ item: { groupId } });
  });
});
