import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { newUser, type TestUser } from './support/http.ts';
import { heard, newPerson, placeAt, write } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect, type Socket } from './support/socket.ts';

describe('privateMessage', () => {
  let server: TestServer;
  let ann: TestUser;
  let bob: TestUser;
  let annSocket: Socket;
  let bobSocket: Socket;

  beforeAll(async () => {
    server = await startServer();
    ann = await newUser(server, 'Ann', 'Archer');
    bob = await newUser(server, 'Bob', null);
    annSocket = await connect(server, ann);
    bobSocket = await connect(server, bob);
  });
  afterAll(() => server.app.stop());

  const page = (socket: Socket, user: TestUser) =>
    socket.rows('getlatestMessageDialog', { receiverId: user.id, limit: 100, cursorCreatedAt: null });

  test('answers with nothing, and reaches every connection of the receiver with exactly the promised fields', async () => {
    const secondDevice = await connect(server, bob);
    const messageId = randomUUID();
    const answer = await annSocket.ask('privateMessage', { messageId, receiverId: bob.id, content: 'Hello, Bob' });
    expect(answer).toEqual({ item: null, data: null, isBroadcast: false, ...placeAt(1) });
    for (const socket of [bobSocket, secondDevice]) {
      expect(await socket.broadcast('privateMessage')).toEqual({
        messageId,
        message: 'Hello, Bob',
        senderName: 'Ann',
        senderLastName: 'Archer',
        senderId: ann.id,
        replyTo: null,
        ...placeAt(1),
      });
    }
    await secondDevice.close();
  });

  test('gives a missing last name as null, never as nothing', async () => {
    await bobSocket.ask('privateMessage', { messageId: randomUUID(), receiverId: ann.id, content: 'Hello, Ann' });
    expect(await annSocket.broadcast('privateMessage')).toMatchObject({ senderName: 'Bob', senderLastName: null });
  });

  test("does not reach the sender's own connections, nor anybody else's", async () => {
    const annsOtherDevice = await connect(server, ann);
    const stranger = await connect(server, await newUser(server));
    await annSocket.ask('privateMessage', { messageId: randomUUID(), receiverId: bob.id, content: 'Only for you' });
    await Promise.all([annsOtherDevice.settle(), stranger.settle()]);
    expect(annsOtherDevice.broadcasts).toEqual([]);
    expect(stranger.broadcasts).toEqual([]);
    await Promise.all([annsOtherDevice.close(), stranger.close()]);
  });

  test('to oneself makes a dialog with oneself and is broadcast to nobody', async () => {
    const me = await newUser(server, 'Solo', 'Singer');
    const [socket, otherDevice] = [await connect(server, me), await connect(server, me)];
    await socket.ask('privateMessage', { messageId: randomUUID(), receiverId: me.id, content: 'Note to self' });
    await otherDevice.settle();
    expect([...socket.broadcasts, ...otherDevice.broadcasts]).toEqual([]);
    expect(await page(socket, me)).toMatchObject([{ senderId: me.id, receiverId: me.id, receiverName: 'Solo', content: 'Note to self' }]);
    expect(await socket.rows('listLastMessage', { limit: 10, cursorCreatedAt: null })).toMatchObject([
      { receiverId: me.id, groupId: null },
    ]);
  });

  test('the same messageId twenty times at once from two connections is one message and one broadcast', async () => {
    const [sender, receiver] = [await newUser(server), await newUser(server)];
    const sockets = [await connect(server, sender), await connect(server, sender)];
    const listener = await connect(server, receiver);
    const params = { messageId: randomUUID(), receiverId: receiver.id, content: 'Once' };
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => sockets[index % 2]?.ask('privateMessage', params)));
    for (const answer of answers) expect(answer).toEqual({ item: null, data: null, isBroadcast: false, ...placeAt(1) });
    await listener.settle();
    expect(listener.broadcasts).toHaveLength(1);
    expect(await page(listener, sender)).toHaveLength(1);
  });

  test('a messageId that the other side has used in the dialog is an error, and nothing is stored or broadcast', async () => {
    const [one, other] = [await newUser(server), await newUser(server)];
    const [oneSocket, otherSocket] = [await connect(server, one), await connect(server, other)];
    const messageId = randomUUID();
    await oneSocket.ask('privateMessage', { messageId, receiverId: other.id, content: 'Mine' });
    const failure = await otherSocket.fail('privateMessage', { messageId, receiverId: one.id, content: 'Not yours' });
    expect(failure.code).toBe('message_id_taken');
    await oneSocket.settle();
    expect(oneSocket.broadcasts).toEqual([]);
    expect(await page(oneSocket, other)).toMatchObject([{ content: 'Mine' }]);
  });

  test('to nobody is an error, and stores nothing', async () => {
    const [conversations] = await query<{ count: string }>(server.databaseUrl, 'SELECT count(*) FROM conversations');
    const failure = await annSocket.fail('privateMessage', { messageId: randomUUID(), receiverId: randomUUID(), content: 'Hello?' });
    expect(failure).toMatchObject({ error: true, type: 'privateMessage', message: 'There is no such user', code: 'no_such_user' });
    expect(await query(server.databaseUrl, 'SELECT count(*) FROM conversations')).toEqual([conversations]);
  });

  test('one that the database cannot store takes no other with it, and the others do not wait for it', async () => {
    const own = await startServer();
    const [ann, bob, carl] = [await newPerson(own), await newPerson(own), await newPerson(own)];
    await write(ann, bob, 'Hello');
    await query(own.databaseUrl, 'ALTER FUNCTION write_messages RENAME TO write_no_messages');
    const failing = ann.socket.fail('privateMessage', { messageId: randomUUID(), receiverId: carl.id, content: 'The first' });
    await Promise.all(['a', 'b', 'c'].map((content) => write(ann, bob, content)));
    expect((await failing).code).toBe('internal');
    expect((await heard(bob)).map((item) => item?.message)).toEqual(['Hello', 'a', 'b', 'c']);
    await query(own.databaseUrl, 'ALTER FUNCTION write_no_messages RENAME TO write_messages');
    await write(ann, carl, 'The second');
    expect((await heard(carl)).map((item) => item?.message)).toEqual(['The second']);
    await own.app.stop();
  });

  test('a bad one among good ones fails alone', async () => {
    const [sender, receiver] = [await newUser(server), await newUser(server)];
    const socket = await connect(server, sender);
    const sends = Array.from({ length: 30 }, (_, index) =>
      socket.request('privateMessage', {
        messageId: randomUUID(),
        receiverId: index % 10 === 5 ? randomUUID() : receiver.id,
        content: `Number ${index}`,
      }),
    );
    const answers = await Promise.all(sends);
    expect(answers.flatMap((answer, index) => ('error' in answer ? [index] : []))).toEqual([5, 15, 25]);
    expect(await page(socket, receiver)).toHaveLength(27);
  });

  test.each([
    ['empty', { content: '' }, 'content'],
    ['too long', { content: 'x'.repeat(10_001) }, 'content'],
    ['with a NUL character', { content: 'a\0b' }, 'content'],
    ['with half a surrogate pair', { content: 'a\ud800b' }, 'content'],
    ['a list', { content: ['x'] }, 'content'],
    ['not a UUID as messageId', { messageId: 'one' }, 'messageId'],
    ['an operator as receiverId', { receiverId: { $ne: null } }, 'receiverId'],
    ['with a field nobody knows', { senderId: randomUUID() }, 'senderId'],
  ])('%s is an error that names the field, and stores nothing', async (_what, wrong, path) => {
    const before = await page(annSocket, bob);
    const failure = await annSocket.fail('privateMessage', { messageId: randomUUID(), receiverId: bob.id, content: 'fine', ...wrong });
    expect(failure).toMatchObject({ type: 'privateMessage', code: 'invalid_params', issues: [{ path }] });
    expect(await page(annSocket, bob)).toEqual(before);
  });

  test('counts characters and not their halves: 10,000 emoji are not too long', async () => {
    const content = '🙂'.repeat(10_000);
    await annSocket.ask('privateMessage', { messageId: randomUUID(), receiverId: bob.id, content });
    const [row] = await page(annSocket, bob);
    expect(row?.content).toBe(content);
  });

  test.each([
    ["Robert'); DROP TABLE messages;--"],
    ['<script>alert(1)</script>'],
    ['$1 $$ {"a":[1]} \\ " \' %_ \u2028 \u0001 ё İ 👨‍👩‍👧'],
    ['{NULL,"x"}'],
    ['NULL'],
    [' \n\t '],
  ])('carries %j unchanged', async (content) => {
    await annSocket.ask('privateMessage', { messageId: randomUUID(), receiverId: bob.id, content });
    const [row] = await page(annSocket, bob);
    expect(row?.content).toBe(content);
  });

  test('lower-cases ids, so that the same id in capitals is the same message', async () => {
    const messageId = randomUUID();
    const content = 'Capital';
    await annSocket.ask('privateMessage', { messageId: messageId.toUpperCase(), receiverId: bob.id.toUpperCase(), content });
    await annSocket.ask('privateMessage', { messageId, receiverId: bob.id, content });
    const rows = await page(annSocket, bob);
    expect(rows.filter((row) => row.messageId === messageId)).toHaveLength(1);
  });

  test('sent again costs the server no connection to the database', async () => {
    const messageId = randomUUID();
    const send = () => annSocket.ask('privateMessage', { messageId, receiverId: bob.id, content: 'Again and again' });
    const open = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'messenger'`;
    const connections = async () => (await query<{ pid: number }>(server.databaseUrl, open)).map(({ pid }) => pid);
    await send();
    // Now and then the server ends one that nobody has used for half a minute.
    await eventually(async () => {
      const before = await connections();
      for (let time = 0; time < 5; time++) await send();
      expect(await connections()).toEqual(expect.arrayContaining(before));
    });
  });
});
