import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { OPT_IN_EVENTS } from '../src/realtime/optInEvents.ts';
import { call } from './support/http.ts';
import { addEmptyDialog, heard, NEWEST, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const UNSET = { muted: false, pinned: false, title: null };

describe('updateChat', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const chats = ({ socket }: Person) => socket.rows('listLastMessage', NEWEST);
  const update = async ({ socket }: Person, changes: object) => (await socket.ask('updateChat', changes)).item;

  test('sets what is given and leaves the rest, in a dialog and in a group', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob]);
    await write(bob, ann, 'Hello');
    for (const [name, address] of [
      [
        { receiverId: bob.id, groupId: null },
        { companionId: bob.id, groupId: null },
      ],
      [
        { receiverId: null, groupId },
        { companionId: null, groupId },
      ],
    ]) {
      const answer = await ann.socket.ask('updateChat', { ...name, muted: true });
      expect(answer).toEqual({ item: { ...address, ...UNSET, muted: true }, data: null, isBroadcast: false });
      expect(await update(ann, { ...name, pinned: true })).toEqual({ ...address, ...UNSET, muted: true, pinned: true });
      expect(await update(ann, { ...name, title: 'Bob & I' })).toEqual({ ...address, muted: true, pinned: true, title: 'Bob & I' });
      expect(await update(ann, { ...name, muted: false, title: null })).toEqual({ ...address, ...UNSET, pinned: true });
    }
  });

  test('twice without waiting for the answer: the later one counts', async () => {
    const ann = await newPerson(server);
    await write(ann, ann, 'Note');
    for (let count = 0; count < 20; count++) {
      await Promise.all([true, false].map((muted) => update(ann, { receiverId: ann.id, muted })));
      expect(await chats(ann)).toMatchObject([UNSET]);
    }
  });

  test('over HTTP is a PATCH of the chat', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob]);
    await write(bob, ann, 'Hello');
    const patch = (path: string, body: object) => call(server, 'PATCH', `${path}/chat`, { token: ann.token, body });
    expect(await patch(`/dialogs/${bob.id.toUpperCase()}`, { muted: true, title: 'Bob' })).toMatchObject({
      status: 200,
      body: { data: { companionId: bob.id, groupId: null, muted: true, pinned: false, title: 'Bob' } },
    });
    expect(await patch(`/groups/${groupId}`, { pinned: true })).toMatchObject({
      status: 200,
      body: { data: { companionId: null, groupId, ...UNSET, pinned: true } },
    });
    expect(await chats(ann)).toMatchObject([{ muted: true, title: 'Bob' }, { pinned: true }]);
    expect(await patch(`/groups/${groupId}`, {})).toMatchObject({ status: 400, body: { errors: [{ path: '' }] } });
    expect(await patch(`/groups/${groupId}`, { title: ' ' })).toMatchObject({ status: 400, body: { errors: [{ path: 'title' }] } });
    expect(await patch(`/dialogs/${ann.id}`, { muted: true })).toMatchObject({ status: 404, body: { code: 'no_such_chat' } });
  });

  test('is seen in my chat list, on every device, and in that of nobody else', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob]);
    await write(bob, ann, 'Hello');
    const mine = { muted: true, pinned: true, title: 'Mine' };
    await update(ann, { receiverId: bob.id, ...mine });
    await update(ann, { groupId, title: 'Ours' });
    const device = { ...ann, socket: await connect(server, ann) };
    for (const person of [ann, device])
      expect(await chats(person)).toMatchObject([mine, { ...UNSET, title: 'Ours', groupName: 'Friends' }]);
    expect(await chats(bob)).toMatchObject([UNSET, UNSET]);
  });

  test('moves no chat in the list, and stays when something is written', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann]);
    await write(ann, ann, 'Note');
    await write(bob, ann, 'Hello');
    const before = await chats(ann);
    await update(ann, { groupId, pinned: true });
    await update(ann, { receiverId: ann.id, title: 'Notes' });
    expect(await chats(ann)).toEqual(before.map((row, place) => ({ ...row, ...[{}, { title: 'Notes' }, { pinned: true }][place] })));
    await writeToGroup(ann, groupId, 'Hello');
    await write(ann, ann, 'Another note');
    expect(await chats(ann)).toMatchObject([{ title: 'Notes' }, { pinned: true }, UNSET]);
  });

  test('is told to nobody, whatever they asked for', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'Hello');
    const device = { ...ann, socket: await connect(server, ann) };
    const other = { ...bob, socket: await connect(server, bob) };
    for (const { socket } of [device, other]) await socket.ask('subscribe', { events: [...OPT_IN_EVENTS] });
    await update(ann, { receiverId: bob.id, muted: true });
    for (const person of [ann, device, other]) expect(await heard(person)).toEqual([]);
  });

  test('is known of a dialog that I deleted when it comes back', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(bob, ann, 'Hello');
    await update(ann, { receiverId: bob.id, muted: true });
    await call(server, 'DELETE', `/dialogs/${bob.id}`, { token: ann.token });
    await write(bob, ann, 'Hello again');
    expect(await chats(ann)).toMatchObject([{ content: 'Hello again', muted: true }]);
  });

  test('refuses a dialog that has not begun, and a group that is not mine', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [bob]);
    const carol = await newPerson(server);
    await addEmptyDialog(server, ann, carol);
    for (const receiverId of [bob.id, carol.id, ann.id, randomUUID()]) {
      expect(await ann.socket.fail('updateChat', { receiverId, muted: true })).toMatchObject({ code: 'no_such_chat' });
    }
    await write(ann, bob, 'Hello');
    for (const id of [groupId, randomUUID(), dialogId(ann.id, bob.id)]) {
      expect(await ann.socket.fail('updateChat', { groupId: id, muted: true })).toMatchObject({ code: 'not_a_member' });
    }
    expect(await chats(bob)).toMatchObject([UNSET, UNSET]);
  });

  test.each([
    ['nothing to change', {}, ''],
    ['two conversations', { groupId: randomUUID(), muted: true }, 'receiverId'],
    ['an empty title', { title: '' }, 'title'],
    ['a title that is too long', { title: 'x'.repeat(65) }, 'title'],
    ['a title with white space at its end', { title: 'Bob ' }, 'title'],
    ['a title with a NUL character', { title: 'B\0b' }, 'title'],
    ['something else than true or false', { pinned: 'yes' }, 'pinned'],
    ['null for true or false', { muted: null }, 'muted'],
  ])('refuses %s', async (_what, changes, path) => {
    const { socket, id: receiverId } = await newPerson(server);
    const error = await socket.fail('updateChat', { receiverId, ...changes });
    expect(error).toMatchObject({ code: 'invalid_params', issues: [{ path }] });
  });
});
