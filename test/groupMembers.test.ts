import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newUser } from './support/http.ts';
import { A_TIME, add, leave, newCircle, newPerson, type Person, remove, write } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

describe('getGroupMembers', () => {
  let server: TestServer;
  let owner: Person;
  beforeAll(async () => {
    server = await startServer();
    owner = await newPerson(server, 'Olga', 'Owner');
  });
  afterAll(() => server.app.stop());

  const page = ({ socket }: Person, groupId: string, limit: number, cursor: unknown) =>
    socket.ask('getGroupMembers', { groupId, limit, cursor });

  /** Everybody, page by page, and how many there were on each. */
  async function readAll(person: Person, groupId: string, limit: number): Promise<{ ids: unknown[]; sizes: number[] }> {
    const [ids, sizes]: [unknown[], number[]] = [[], []];
    for (let cursor: unknown = null; ; ) {
      const { item, data } = await page(person, groupId, limit, cursor);
      ids.push(...(data ?? []).map(({ userId }) => userId));
      sizes.push(data?.length ?? 0);
      cursor = item?.nextCursor;
      if (cursor === null) return { ids, sizes };
    }
  }

  test('gives each member with name and role, the longest-standing first', async () => {
    const [bob, carol] = [await newPerson(server, 'Bob', null), await newPerson(server, 'Carol', 'Clark')];
    const groupId = await newCircle(server, [owner, bob, carol]);
    for (const person of [owner, bob, carol]) {
      expect(await page(person, groupId, 10, null)).toEqual({
        item: { nextCursor: null },
        data: [
          { userId: owner.id, firstName: 'Olga', lastName: 'Owner', role: 'owner', joinedAt: A_TIME },
          { userId: bob.id, firstName: 'Bob', lastName: null, role: 'member', joinedAt: A_TIME },
          { userId: carol.id, firstName: 'Carol', lastName: 'Clark', role: 'member', joinedAt: A_TIME },
        ],
        isBroadcast: false,
      });
    }
    await leave(bob, groupId);
    await add(carol, groupId, bob);
    expect((await readAll(owner, groupId, 10)).ids).toEqual([owner.id, carol.id, bob.id]);
  });

  test('skips and repeats nobody across pages of any size, also of those who came in the same millisecond', async () => {
    const together = await Promise.all(Array.from({ length: 6 }, () => newUser(server)));
    const { item } = await owner.socket.ask('newGroup', { groupName: 'Friends', userIds: together.map(({ id }) => id) });
    const groupId = String(item?.groupId);
    const later = await newUser(server);
    await add(owner, groupId, later);
    const expected = [owner.id, ...together.map(({ id }) => id).sort(), later.id];
    for (let limit = 1; limit <= 9; limit++) {
      const { ids, sizes } = await readAll(owner, groupId, limit);
      expect({ limit, ids }).toEqual({ limit, ids: expected });
      expect(sizes).toHaveLength(Math.ceil(expected.length / limit));
    }
  });

  test('goes on from its cursor, whoever comes and goes meanwhile, also when it was given for somebody who is out', async () => {
    const [bob, carol, dave, erin] = [await newPerson(server), await newPerson(server), await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [owner, bob, carol, dave]);
    const { item } = await page(owner, groupId, 2, null);
    await remove(owner, groupId, bob);
    await remove(owner, groupId, carol);
    await add(owner, groupId, erin);
    const { data, item: last } = await page(owner, groupId, 2, item?.nextCursor);
    expect(data?.map(({ userId }) => userId)).toEqual([dave.id, erin.id]);
    expect(last).toEqual({ nextCursor: null });
    for (const person of [dave, erin]) await leave(person, groupId);
    expect(await page(owner, groupId, 2, item?.nextCursor)).toMatchObject({ item: { nextCursor: null }, data: [] });
  });

  test('of what is no group of mine is refused', async () => {
    const stranger = await newPerson(server);
    const groupId = await newCircle(server, [owner, stranger]);
    const { item } = await page(stranger, groupId, 1, null);
    await leave(stranger, groupId);
    await write(stranger, stranger, 'A dialog');
    const refused = { code: 'not_a_member' };
    for (const cursor of [null, item?.nextCursor]) {
      expect(await stranger.socket.fail('getGroupMembers', { groupId, limit: 1, cursor })).toMatchObject(refused);
    }
    expect(await stranger.socket.fail('getGroupMembers', { groupId: randomUUID(), limit: 1, cursor: null })).toMatchObject(refused);
  });

  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  test.each([
    '',
    'x',
    randomUUID(),
    encoded(null),
    encoded([]),
    encoded(['2026-01-31T12:00:00.000Z', 'bob']),
    encoded(['yesterday', randomUUID()]),
    encoded([null, randomUUID()]),
    encoded(['0000-01-01T00:00:00.000Z', randomUUID()]),
    encoded(['2026-01-31T12:00:00.000Z', randomUUID(), 1]),
    'x'.repeat(10_000),
  ])('with a cursor that was never given, like %j, is refused', async (cursor) => {
    const groupId = await newCircle(server, [owner]);
    const failure = await owner.socket.fail('getGroupMembers', { groupId, limit: 1, cursor });
    expect(failure).toMatchObject({ code: 'invalid_params', issues: [{ path: 'cursor' }] });
  });
});
