import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { newGroup, newUser, type TestUser } from './support/http.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect, type Socket } from './support/socket.ts';

/** Two servers on one database: whatever holds between them holds within one. */
describe('the order of messages', () => {
  let server: TestServer;
  let other: TestServer;

  beforeAll(async () => {
    server = await startServer();
    other = await startServer({}, server.databaseUrl);
  });
  afterAll(() => Promise.all([server.app.stop(), other.app.stop()]));

  const numbered = (count: number, from = '') => Array.from({ length: count }, (_, index) => `${from}${index}`);
  const sendTo = (socket: Socket, receiver: TestUser, content: string, messageId: string = randomUUID()) =>
    socket.ask('privateMessage', { messageId, receiverId: receiver.id, content });

  /** Every message of a dialog as `viewer` sees it, oldest first. */
  async function readAll(socket: Socket, params: object, type = 'getlatestMessageDialog'): Promise<unknown[]> {
    const contents: unknown[] = [];
    let cursorCreatedAt: unknown = null;
    for (;;) {
      const rows = await socket.rows(type, { ...params, limit: 100, cursorCreatedAt });
      if (rows.length === 0) return contents.reverse();
      contents.push(...rows.map(({ content }) => content));
      cursorCreatedAt = rows.at(-1)?.createdAt;
    }
  }

  /** Fails unless every conversation's numbers are as the design promises. */
  async function expectNoGaps(): Promise<void> {
    const broken = await query(
      server.databaseUrl,
      `SELECT c.id FROM conversations c
       LEFT JOIN LATERAL (
         SELECT count(*) AS n, max(seq) AS seq, max(rev) AS rev, max(created_at) AS at, count(DISTINCT seq) AS seqs, count(DISTINCT rev) AS revs,
           count(*) FILTER (WHERE in_order IS FALSE) AS wrong
         FROM (
           SELECT *, seq = lag(seq) OVER w + 1 AND rev > lag(rev) OVER w AND created_at > lag(created_at) OVER w AS in_order
           FROM messages m WHERE m.conversation_id = c.id WINDOW w AS (ORDER BY seq)
         ) m
       ) m ON true
       WHERE (c.last_seq, c.last_rev) <> (m.n, m.n) OR (m.n > 0 AND (m.seq, m.rev, m.at) <> (m.n, m.n, c.last_message_at))
         OR m.seqs <> m.n OR m.revs <> m.n OR m.wrong > 0`,
    );
    expect(broken).toEqual([]);
  }

  test('300 sends without waiting arrive, and are read, in the order they were sent', async () => {
    const [ann, bob] = [await newUser(server), await newUser(server)];
    const [annSocket, bobSocket] = [await connect(server, ann), await connect(server, bob)];
    const contents = numbered(300);
    await Promise.all(contents.map((content) => sendTo(annSocket, bob, content)));
    await bobSocket.settle();
    expect(bobSocket.broadcasts.map(({ params }) => params.item?.message)).toEqual(contents);
    expect(await readAll(bobSocket, { receiverId: ann.id })).toEqual(contents);
    await expectNoGaps();
  });

  test('300 sends into a group likewise', async () => {
    const [ann, bob] = [await newUser(server), await newUser(server)];
    const [annSocket, bobSocket] = [await connect(server, ann), await connect(server, bob)];
    const groupId = await newGroup(server, ann);
    await annSocket.ask('addUserInGroup', { groupId, userId: bob.id, messageId: randomUUID(), message: 'added' });
    const contents = numbered(300);
    await Promise.all(contents.map((content) => annSocket.ask('messageInGroup', { messageId: randomUUID(), groupId, content })));
    await bobSocket.settle();
    const heard = bobSocket.broadcasts.filter(({ type }) => type === 'messageInGroup');
    expect(heard.map(({ params }) => params.item?.message)).toEqual(contents);
    expect(await readAll(bobSocket, { groupId }, 'getlatestMessageGroup')).toEqual(['created', 'added', ...contents]);
  });

  test('both sides see one order when both write at once, also through two servers', async () => {
    const [ann, bob] = [await newUser(server), await newUser(server)];
    const [annSocket, bobSocket] = [await connect(server, ann), await connect(other, bob)];
    await Promise.all([
      ...numbered(150, 'a').map((content) => sendTo(annSocket, bob, content)),
      ...numbered(150, 'b').map((content) => sendTo(bobSocket, ann, content)),
    ]);
    const seen = await readAll(annSocket, { receiverId: bob.id });
    expect(await readAll(bobSocket, { receiverId: ann.id })).toEqual(seen);
    expect(seen.filter((content) => String(content).startsWith('a'))).toEqual(numbered(150, 'a'));
    expect(seen.filter((content) => String(content).startsWith('b'))).toEqual(numbered(150, 'b'));
    await expectNoGaps();
  });

  test('the same messages sent through two servers at once are stored once each', async () => {
    const [ann, bob] = [await newUser(server), await newUser(server)];
    const sockets = [await connect(server, ann), await connect(other, ann)];
    const ids = numbered(100).map(() => randomUUID());
    await Promise.all(ids.flatMap((messageId, index) => sockets.map((socket) => sendTo(socket, bob, String(index), messageId))));
    const [socket] = sockets;
    const seen = socket ? await readAll(socket, { receiverId: bob.id }) : [];
    expect(seen.map(Number).sort((one, another) => one - another)).toEqual(ids.map((_, index) => index));
    await expectNoGaps();
  });

  test('many dialogs begun from both sides on two servers at once all succeed, without a deadlock', async () => {
    const people = await Promise.all(numbered(12).map(() => newUser(server)));
    const sockets = await Promise.all(people.map((person, index) => connect(index % 2 ? server : other, person)));
    await Promise.all(sockets.flatMap((socket) => people.map((receiver) => sendTo(socket, receiver, 'first'))));
    await expectNoGaps();
    for (const [index, socket] of sockets.entries()) {
      expect(await socket.rows('listLastMessage', { limit: 100, cursorCreatedAt: null })).toHaveLength(people.length);
      expect(await readAll(socket, { receiverId: people[index]?.id })).toEqual(['first']);
    }
  });

  test('the clock of the database going back does not make a message older than the one before', async () => {
    const [ann, bob] = [await newUser(server), await newUser(server)];
    const socket = await connect(server, ann);
    await sendTo(socket, bob, 'from the future');
    await query(
      server.databaseUrl,
      `UPDATE conversations SET last_message_at = now() + interval '1 hour' WHERE id IN
      (SELECT conversation_id FROM members WHERE user_id = $1)`,
      [ann.id],
    );
    await query(
      server.databaseUrl,
      `UPDATE messages SET created_at = (SELECT last_message_at FROM conversations WHERE id = conversation_id) WHERE sender_id = $1`,
      [ann.id],
    );
    for (const content of numbered(3)) await sendTo(socket, bob, content);
    expect(await readAll(socket, { receiverId: bob.id })).toEqual(['from the future', '0', '1', '2']);
    await expectNoGaps();
  });
});
