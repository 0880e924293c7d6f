import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { call, newUser, type TestUser } from './support/http.ts';
import { placeAt, UNCHANGED } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect, type Socket } from './support/socket.ts';

const NEWEST = { limit: 100, cursorCreatedAt: null };

describe('the classic paths for chats', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const draft = (changes: object = {}) => ({
    groupId: randomUUID(),
    groupName: 'Friends of tea',
    notificationMessage: 'created the group',
    messageId: randomUUID(),
    ...changes,
  });
  const create = ({ token }: TestUser, body: object, path = '/groups') => call(server, 'POST', path, { token, body });
  const history = (socket: Socket, groupId: string) => socket.rows('getlatestMessageGroup', { groupId, ...NEWEST });

  test.each(['/groups', '/use-cases/create-group'])('POST %s makes a group with a first notification', async (path) => {
    const ann = await newUser(server, 'Ann', 'Archer');
    const socket = await connect(server, ann);
    const body = draft();
    expect(await create(ann, body, path)).toMatchObject({ status: 200, body: { message: expect.any(String) } });
    expect(await history(socket, body.groupId)).toEqual([
      {
        notification: true,
        messageId: body.messageId,
        senderId: ann.id,
        senderName: 'Ann',
        senderLastName: 'Archer',
        groupId: body.groupId,
        groupName: 'Friends of tea',
        content: 'created the group',
        ...UNCHANGED,
        ...placeAt(1),
      },
    ]);
    expect(await socket.rows('listLastMessage', NEWEST)).toMatchObject([{ groupId: body.groupId, groupName: 'Friends of tea' }]);
    expect(socket.broadcasts).toEqual([]);
  });

  test('the same group again, also many times at once and with another name, changes nothing for its creator', async () => {
    const ann = await newUser(server);
    const socket = await connect(server, ann);
    const body = draft();
    const repeats = [body, body, body, body].map((body) => create(ann, body));
    expect((await Promise.all(repeats)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const before = await history(socket, body.groupId);
    expect(before).toHaveLength(1);
    expect((await create(ann, { ...draft({ groupName: 'Another' }), groupId: body.groupId.toUpperCase() })).status).toBe(200);
    expect(await history(socket, body.groupId)).toEqual(before);
    expect(await query(server.databaseUrl, 'SELECT name, last_seq FROM conversations WHERE id = $1', [body.groupId])).toEqual([
      { name: body.groupName, last_seq: '1' },
    ]);
  });

  test('a groupId of somebody else is taken, also for a member, and also when both come at once', async () => {
    const [ann, bob] = [await newUser(server), await newUser(server)];
    const socket = await connect(server, ann);
    const body = draft();
    const race = await Promise.all([create(ann, body), create(bob, body)]);
    expect(race.map(({ status }) => status).sort()).toEqual([200, 409]);
    const mine = draft();
    await create(ann, mine);
    const taken = { status: 409, body: { code: 'group_id_taken', message: expect.any(String) } };
    expect(await create(bob, mine)).toMatchObject(taken);
    await socket.ask('addUserInGroup', { groupId: mine.groupId, userId: bob.id, messageId: randomUUID(), message: 'added' });
    expect(await create(bob, mine)).toMatchObject(taken);
    expect(await history(socket, mine.groupId)).toHaveLength(2);
  });

  test('a groupId stays taken when the group was dropped, for its creator too', async () => {
    const [ann, bob] = [await newUser(server), await newUser(server)];
    const socket = await connect(server, ann);
    const body = draft();
    await create(ann, body);
    await socket.ask('dropGroup', { groupId: body.groupId });
    for (const user of [ann, bob]) expect(await create(user, body)).toMatchObject({ status: 409, body: { code: 'group_id_taken' } });
    expect(await socket.fail('getlatestMessageGroup', { groupId: body.groupId, ...NEWEST })).toMatchObject({ code: 'not_a_member' });
  });

  test.each([
    ['an empty name', { groupName: '' }, 'groupName'],
    ['a name with white space at its end', { groupName: 'Friends ' }, 'groupName'],
    ['a name of 65 characters', { groupName: 'x'.repeat(65) }, 'groupName'],
    ['a list as name', { groupName: ['Friends'] }, 'groupName'],
    ['a groupId that is none', { groupId: '1' }, 'groupId'],
    ['no messageId', { messageId: undefined }, 'messageId'],
    ['an empty notification', { notificationMessage: '' }, 'notificationMessage'],
    ['a notification that is too long', { notificationMessage: 'x'.repeat(10_001) }, 'notificationMessage'],
    ['members', { members: [] }, 'members'],
  ])('a group with %s is refused', async (_what, wrong, path) => {
    const ann = await newUser(server);
    expect(await create(ann, draft(wrong))).toMatchObject({ status: 400, body: { code: 'invalid_params', errors: [{ path }] } });
  });

  const deletions: [string, (companionId: string) => [method: string, path: string, body?: object]][] = [
    ['DELETE /dialogs/:companionId', (companionId) => ['DELETE', `/dialogs/${companionId}`]],
    ['POST /use-cases/mark-as-deleted', (companionId) => ['POST', '/use-cases/mark-as-deleted', { companionId }]],
  ];

  describe.each(deletions)('%s', (_what, requestFor) => {
    function remove({ token }: TestUser, companionId: string) {
      const [method, path, body] = requestFor(companionId);
      return call(server, method, path, { token, body });
    }
    const done = { status: 200, body: { message: expect.any(String) } };

    test('hides the dialog from me and not from the other; a new message brings back only what is new', async () => {
      const [ann, bob] = [await newUser(server), await newUser(server)];
      const [annSocket, bobSocket] = [await connect(server, ann), await connect(server, bob)];
      const say = (content: string) => bobSocket.ask('privateMessage', { messageId: randomUUID(), receiverId: ann.id, content });
      const annSees = () => annSocket.rows('getlatestMessageDialog', { receiverId: bob.id, ...NEWEST });
      await say('One');
      await say('Two');
      expect(await remove(ann, bob.id.toUpperCase())).toMatchObject(done);
      expect(await annSees()).toEqual([]);
      expect(await annSocket.rows('listLastMessage', NEWEST)).toEqual([]);
      expect(await bobSocket.rows('getlatestMessageDialog', { receiverId: ann.id, ...NEWEST })).toHaveLength(2);
      expect(await bobSocket.rows('listLastMessage', NEWEST)).toMatchObject([{ content: 'Two' }]);
      await say('Three');
      expect(await annSees()).toMatchObject([{ content: 'Three' }]);
      expect(await annSocket.rows('listLastMessage', NEWEST)).toMatchObject([{ content: 'Three' }]);
    });

    test('leaves other dialogs as they are, and does nothing where there is none, however often', async () => {
      const [ann, bob] = [await newUser(server), await newUser(server)];
      const socket = await connect(server, ann);
      for (const receiverId of [ann.id, bob.id]) {
        await socket.ask('privateMessage', { messageId: randomUUID(), receiverId, content: 'Stay' });
      }
      for (const companionId of [randomUUID(), randomUUID(), ann.id, ann.id]) expect(await remove(ann, companionId)).toMatchObject(done);
      expect(await socket.rows('listLastMessage', NEWEST)).toMatchObject([{ receiverId: bob.id }]);
    });

    test('wants the id of a companion', async () => {
      expect(await remove(await newUser(server), 'bob')).toMatchObject({ status: 400, body: { errors: [{ path: 'companionId' }] } });
    });
  });
});
