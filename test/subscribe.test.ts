import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { add, heard, leave, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.app.stop());

const anotherOf = async (person: Person): Promise<Person> => ({ ...person, socket: await connect(server, person) });
const subscribe = ({ socket }: Person, events: string[]) => socket.ask('subscribe', { events });

async function deviceOf(person: Person): Promise<Person> {
  const device = await anotherOf(person);
  await subscribe(device, ['ownMessages']);
  return device;
}

describe('subscribe', () => {
  test('answers what is active now: each event once, in one order, whatever the order they were named in', async () => {
    const alice = await newPerson(server);
    expect(await subscribe(alice, ['catchUp', 'ownMessages', 'catchUp'])).toEqual({
      item: { events: ['ownMessages', 'catchUp'] },
      data: null,
      isBroadcast: false,
    });
    expect((await subscribe(alice, ['userStatus'])).item).toEqual({ events: ['userStatus'] });
    expect((await subscribe(alice, [])).item).toEqual({ events: [] });
  });

  test('an unknown name is an error that names the place, and changes nothing', async () => {
    const alice = await newPerson(server);
    const device = await deviceOf(alice);
    const error = await device.socket.fail('subscribe', { events: ['catchUp', 'everything'] });
    expect(error).toMatchObject({
      code: 'invalid_params',
      issues: [{ path: 'events.1', message: expect.stringContaining('ownMessages') }],
    });
    await write(alice, alice, 'still heard');
    expect(await heard(device)).toHaveLength(1);
  });

  test('an empty list turns all off', async () => {
    const [alice, bob] = [await newPerson(server), await newPerson(server)];
    const device = await deviceOf(alice);
    await subscribe(device, []);
    await write(alice, bob, 'Hello');
    expect(await heard(device)).toEqual([]);
  });
});

describe('ownMessages', () => {
  test('a private message that I send elsewhere arrives with whom it is for, and not where I sent it', async () => {
    const [alice, bob] = [await newPerson(server), await newPerson(server)];
    const [device, silent] = [await deviceOf(alice), await anotherOf(alice)];
    await subscribe(alice, ['ownMessages']);
    await write(alice, bob, 'Hello');
    const item = await bob.socket.broadcast('privateMessage');
    expect(await heard(device)).toEqual([{ ...item, companionId: bob.id, groupId: null }]);
    for (const other of [alice, silent]) expect(await heard(other)).toEqual([]);
    expect(item).not.toHaveProperty('companionId');
  });

  test('a message to myself arrives on my other connections alone', async () => {
    const alice = await newPerson(server);
    const device = await deviceOf(alice);
    await write(alice, alice, 'Note');
    expect(await heard(device)).toEqual([expect.objectContaining({ message: 'Note', companionId: alice.id, groupId: null })]);
    expect(await heard(alice)).toEqual([]);
  });

  test('what I do in groups arrives as it does for others, with both ids', async () => {
    const [alice, bob, carol] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [alice, bob]);
    const device = await deviceOf(alice);
    await writeToGroup(alice, groupId, 'Hello');
    await add(alice, groupId, carol);
    await leave(alice, groupId);
    const forOthers = await heard(bob);
    const mine = forOthers.slice(1).map((item) => ({ ...item, companionId: null }));
    expect(device.socket.broadcasts.map(({ type }) => type)).toEqual(['messageInGroup', 'addUserInGroup', 'leaveGroup']);
    expect(await heard(device)).toEqual(mine);
  });

  test('a group that I drop is dropped on my other connections', async () => {
    const alice = await newPerson(server);
    const groupId = await newCircle(server, [alice]);
    const device = await deviceOf(alice);
    await alice.socket.ask('dropGroup', { groupId });
    expect(await heard(device, 'dropGroup')).toEqual([{ groupId, companionId: null }]);
  });

  test('a message that is sent again is not announced again', async () => {
    const [alice, bob] = [await newPerson(server), await newPerson(server)];
    const device = await deviceOf(alice);
    const messageId = randomUUID();
    for (let count = 0; count < 2; count++) await write(alice, bob, 'Hello', messageId);
    expect(await heard(device)).toHaveLength(1);
  });

  test('nobody else receives what I send, whatever they subscribed to', async () => {
    const [alice, bob, eve] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    await subscribe(eve, ['ownMessages', 'userStatus', 'catchUp']);
    await subscribe(bob, ['ownMessages', 'userStatus', 'catchUp']);
    await write(alice, bob, 'Hello');
    expect(await heard(bob)).toHaveLength(1);
    expect(await heard(eve)).toEqual([]);
  });
});
