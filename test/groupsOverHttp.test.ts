import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { call, newGroup, newUser, type TestUser } from './support/http.ts';
import { A_TIME, add, deviceOf, heard, newCircle, newPerson, type Person, placeAt, setRole, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

const page = z.object({ data: z.array(z.record(z.string(), z.unknown())), nextCursor: z.string().nullable() });
const EVENTS = ['groupUpdated', 'memberRemoved', 'roleChanged'];

describe('groups over HTTP', () => {
  let server: TestServer;
  let owner: Person;
  let admin: Person;
  let member: Person;
  let groupId: string;
  beforeAll(async () => {
    server = await startServer();
    [owner, admin, member] = [await newPerson(server, 'Olga', 'Owner'), await newPerson(server), await newPerson(server, 'Max', null)];
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
  const ask = ({ token }: TestUser, method: string, path: string, body?: object) => call(server, method, path, { token, body });
  const refusal = (status: number, code: string) => ({ status, body: { code, message: expect.any(String) } });
  const notification = () => ({ messageId: randomUUID(), message: 'A notification' });
  const frames = async ({ socket }: Person) => {
    await socket.settle();
    return socket.broadcasts.map(({ type, params }) => ({ type, item: params.item }));
  };

  describe('GET /groups', () => {
    test('gives my groups with my role, and neither dialogs, nor groups that I left, nor those of others', async () => {
      const ann = await newPerson(server);
      const [mine, joined, left] = [
        await newGroup(server, ann, 'Mine'),
        await newCircle(server, [owner, ann], 'Joined'),
        await newGroup(server, ann),
      ];
      await newGroup(server, owner);
      await ann.socket.ask('leaveGroup', { groupId: left, messageId: randomUUID(), message: 'left' });
      await ann.socket.ask('privateMessage', { messageId: randomUUID(), receiverId: owner.id, content: 'A dialog' });
      await ann.socket.ask('updateGroup', { groupId: mine, description: 'About tea' });
      const rows = [
        { groupId: mine, groupName: 'Mine', description: 'About tea', memberCount: 1, role: 'owner', createdAt: A_TIME },
        { groupId: joined, groupName: 'Joined', description: null, memberCount: 2, role: 'member', createdAt: A_TIME },
      ];
      const data = rows.toSorted((one, other) => (one.groupId < other.groupId ? -1 : 1));
      expect(await ask(ann, 'GET', '/groups')).toMatchObject({ status: 200, body: { data, nextCursor: null } });
    });

    test('skips and repeats none across pages of any size, and says which page is the last', async () => {
      const ann = await newUser(server);
      const ids: string[] = [];
      for (let count = 0; count < 5; count++) ids.push(await newGroup(server, ann));
      for (let limit = 1; limit <= 6; limit++) {
        const [read, sizes]: [unknown[], number[]] = [[], []];
        for (let cursor: string | null = ''; cursor !== null; ) {
          const answer = await ask(ann, 'GET', `/groups?limit=${limit}${cursor && `&cursor=${cursor}`}`);
          const { data, nextCursor } = page.parse(answer.body);
          read.push(...data.map(({ groupId }) => groupId));
          sizes.push(data.length);
          cursor = nextCursor;
        }
        expect({ limit, read }).toEqual({ limit, read: ids.toSorted((one, other) => (one < other ? -1 : 1)) });
        expect(sizes).toHaveLength(Math.ceil(5 / limit));
      }
    });

    test('gives a group with any id that a group may have, the lowest too', async () => {
      const ann = await newUser(server);
      const lowest = '00000000-0000-0000-0000-000000000000';
      const body = { groupId: lowest, groupName: 'Lowest', notificationMessage: 'created', messageId: randomUUID() };
      expect(await ask(ann, 'POST', '/groups', body)).toMatchObject({ status: 200 });
      const groupId = await newGroup(server, ann);
      expect(await ask(ann, 'GET', '/groups?limit=1')).toMatchObject({ body: { data: [{ groupId: lowest }], nextCursor: lowest } });
      expect(await ask(ann, 'GET', `/groups?limit=1&cursor=${lowest}`)).toMatchObject({ body: { data: [{ groupId }], nextCursor: null } });
    });

    test('wants a limit from 1 to 100 and a cursor that was given', async () => {
      for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=x']) {
        const [path] = query.split('=');
        expect(await ask(owner, 'GET', `/groups?${query}`)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
      }
    });
  });

  describe('/groups/:groupId', () => {
    test('GET gives the group as I see it', async () => {
      await gather();
      const data = { groupId, groupName: 'Friends', description: null, memberCount: 3, createdAt: A_TIME };
      for (const [person, role] of [
        [owner, 'owner'],
        [admin, 'admin'],
        [member, 'member'],
      ] as const) {
        expect((await ask(person, 'GET', `/groups/${groupId.toUpperCase()}`)).body).toEqual({ data: { ...data, role } });
      }
      const stranger = await newUser(server);
      for (const id of [groupId, randomUUID()])
        expect(await ask(stranger, 'GET', `/groups/${id}`)).toMatchObject(refusal(403, 'not_a_member'));
    });

    test('PATCH changes it, and tells all who asked for it, on all of my devices too', async () => {
      await gather();
      const devices = [await deviceOf(server, admin, EVENTS), await deviceOf(server, member, EVENTS)];
      const answer = await ask(admin, 'PATCH', `/groups/${groupId}`, { groupName: 'Renamed', description: 'About tea' });
      const change = { groupName: 'Renamed', description: 'About tea' };
      expect(answer.body).toEqual({ data: { groupId, ...change, memberCount: 3, role: 'admin', createdAt: A_TIME } });
      const item = { companionId: null, groupId, ...change, updatedBy: admin.id };
      for (const device of devices) expect(await frames(device)).toEqual([{ type: 'groupUpdated', item }]);
      for (const person of [owner, admin, member]) expect(await heard(person)).toEqual([]);
      expect(await ask(member, 'PATCH', `/groups/${groupId}`, change)).toMatchObject(refusal(403, 'not_an_admin'));
      expect(await ask(owner, 'PATCH', `/groups/${groupId}`, {})).toMatchObject(refusal(400, 'invalid_params'));
    });

    test('DELETE drops it', async () => {
      await gather();
      for (const person of [admin, member])
        expect(await ask(person, 'DELETE', `/groups/${groupId}`)).toMatchObject(refusal(403, 'not_the_owner'));
      expect(await ask(owner, 'DELETE', `/groups/${groupId}`)).toMatchObject({ status: 200, body: { data: { groupId } } });
      for (const person of [admin, member]) expect(await frames(person)).toEqual([{ type: 'dropGroup', item: { groupId } }]);
      expect(await ask(owner, 'GET', `/groups/${groupId}`)).toMatchObject(refusal(403, 'not_a_member'));
    });
  });

  describe('/groups/:groupId/members', () => {
    test('GET gives them page by page', async () => {
      await gather();
      const path = `/groups/${groupId}/members`;
      const first = page.parse((await ask(member, 'GET', `${path}?limit=2`)).body);
      expect(first.data).toEqual([
        { userId: owner.id, firstName: 'Olga', lastName: 'Owner', role: 'owner', joinedAt: A_TIME },
        expect.objectContaining({ userId: admin.id, role: 'admin' }),
      ]);
      const { body } = await ask(member, 'GET', `${path}?limit=2&cursor=${first.nextCursor}`);
      expect(body).toMatchObject({ data: [{ userId: member.id, firstName: 'Max', lastName: null }], nextCursor: null });
      expect(page.parse((await ask(member, 'GET', path)).body).data).toHaveLength(3);
      expect(await ask(member, 'GET', `${path}?cursor=x`)).toMatchObject({ status: 400, body: { errors: [{ path: 'cursor' }] } });
      expect(await ask(await newUser(server), 'GET', path)).toMatchObject(refusal(403, 'not_a_member'));
    });

    test('POST adds a user, and the same again changes nothing', async () => {
      await gather();
      const newcomer = await newPerson(server);
      const body = { userId: newcomer.id, messageId: randomUUID(), message: 'Welcome' };
      const answers = [
        await ask(member, 'POST', `/groups/${groupId}/members`, body),
        await ask(member, 'POST', `/groups/${groupId}/members`, body),
      ];
      const item = {
        groupId,
        groupName: 'Friends',
        messageId: body.messageId,
        message: 'Welcome',
        senderId: member.id,
        senderName: 'Max',
        senderLastName: null,
        notification: true,
        replyTo: null,
        ...placeAt(4),
      };
      for (const answer of answers) expect(answer).toMatchObject({ status: 201, body: { data: item } });
      for (const person of [owner, admin, newcomer]) expect(await frames(person)).toEqual([{ type: 'addUserInGroup', item }]);
      expect(await heard(member)).toEqual([]);
      const again = { ...body, messageId: randomUUID() };
      expect(await ask(member, 'POST', `/groups/${groupId}/members`, again)).toMatchObject(refusal(409, 'already_a_member'));
      const nobody = { ...again, userId: randomUUID() };
      expect(await ask(member, 'POST', `/groups/${groupId}/members`, nobody)).toMatchObject(refusal(404, 'no_such_user'));
    });
  });

  describe('/groups/:groupId/members/:userId', () => {
    const path = ({ id }: { id: string }) => `/groups/${groupId}/members/${id}`;

    test('PATCH gives a role, and tells all who asked for it', async () => {
      await gather();
      const device = await deviceOf(server, owner, EVENTS);
      const data = { userId: member.id, firstName: 'Max', lastName: null, role: 'owner', joinedAt: A_TIME };
      expect(await ask(owner, 'PATCH', path(member), { role: 'owner' })).toMatchObject({ status: 200, body: { data } });
      const changes = [
        { userId: member.id, role: 'owner' },
        { userId: owner.id, role: 'admin' },
      ];
      const items = changes.map((change) => ({
        type: 'roleChanged',
        item: { companionId: null, groupId, ...change, changedBy: owner.id },
      }));
      expect(await frames(device)).toEqual(items);
      for (const person of [owner, admin, member]) expect(await heard(person)).toEqual([]);
      expect(await ask(owner, 'PATCH', path(member), { role: 'admin' })).toMatchObject(refusal(403, 'not_the_owner'));
      expect(await ask(owner, 'PATCH', path({ id: randomUUID() }), { role: 'admin' })).toMatchObject(refusal(404, 'no_such_member'));
      expect(await ask(owner, 'PATCH', path(owner), { role: 'admin' })).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'userId' }] },
      });
      expect(await ask(owner, 'PATCH', path(member), { role: 'x' })).toMatchObject({ status: 400, body: { errors: [{ path: 'role' }] } });
    });

    test('DELETE takes a member out, and the same again changes nothing', async () => {
      await gather();
      const device = await deviceOf(server, owner, EVENTS);
      const body = notification();
      for (let time = 0; time < 2; time++) {
        expect(await ask(admin, 'DELETE', path(member), body)).toMatchObject({ status: 200, body: { data: { groupId, ...placeAt(4) } } });
      }
      expect(await frames(member)).toEqual([{ type: 'dropGroup', item: { groupId } }]);
      expect(await frames(owner)).toMatchObject([{ type: 'leaveGroup', item: { ...body, senderId: admin.id } }]);
      const item = { companionId: null, groupId, userId: member.id, removedBy: admin.id };
      expect(await frames(device)).toMatchObject([{ type: 'leaveGroup' }, { type: 'memberRemoved', item }]);
      expect(await frames(admin)).toEqual([]);
      await writeToGroup(owner, groupId, 'Without you');
      expect(await heard(member, 'messageInGroup')).toEqual([]);
      expect(await ask(admin, 'DELETE', path(owner), notification())).toMatchObject(refusal(403, 'not_the_owner'));
      expect(await ask(admin, 'DELETE', path(member), notification())).toMatchObject(refusal(404, 'no_such_member'));
      expect(await ask(member, 'DELETE', path(admin), notification())).toMatchObject(refusal(403, 'not_a_member'));
    });

    test('DELETE of myself leaves the group, as its owner too', async () => {
      await gather();
      const body = notification();
      const mine = path({ id: owner.id.toUpperCase() });
      for (let time = 0; time < 2; time++) {
        expect(await ask(owner, 'DELETE', mine, body)).toMatchObject({ status: 200, body: { data: { groupId, ...placeAt(4) } } });
      }
      expect(await frames(member)).toMatchObject([{ type: 'leaveGroup', item: { ...body, senderId: owner.id } }]);
      expect(await frames(owner)).toEqual([]);
      expect((await ask(admin, 'GET', `/groups/${groupId}`)).body).toMatchObject({ data: { role: 'owner', memberCount: 2 } });
      await add(admin, groupId, owner);
      expect((await ask(owner, 'GET', `/groups/${groupId}`)).body).toMatchObject({ data: { role: 'member', memberCount: 3 } });
    });

    test('DELETE takes its notification from the query as from the body, which counts before it', async () => {
      await gather();
      const [removal, leaving] = [notification(), notification()];
      const query = new URLSearchParams(removal);
      const removed = { status: 200, body: { data: { groupId, ...placeAt(4) } } };
      expect(await ask(admin, 'DELETE', `${path(member)}?${query}`)).toMatchObject(removed);
      expect(await ask(admin, 'DELETE', path(member), removal)).toMatchObject(removed);
      expect(await ask(admin, 'DELETE', `${path(admin)}?${query}`, leaving)).toMatchObject({ status: 200 });
      expect(await frames(owner)).toMatchObject([
        { type: 'leaveGroup', item: { ...removal, senderId: admin.id } },
        { type: 'leaveGroup', item: { ...leaving, senderId: admin.id } },
      ]);
      for (const wrong of [`groupId=${groupId}`, 'x=1'])
        expect(await ask(owner, 'DELETE', `${path(member)}?${wrong}`, notification())).toMatchObject({ status: 400 });
    });

    test('DELETE wants a notification', async () => {
      await gather();
      const answer = await ask(owner, 'DELETE', path(member));
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'messageId' }, { path: 'message' }] } });
    });
  });
});
