import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { add, heard, leave, newCircle, newPerson, type PageType, type Person, readAll, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

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
  /** What a conversation holds as the reader sees it, oldest first. */
  async function contentsOf(reader: Person, type: PageType, of: object): Promise<unknown[]> {
    return (await readAll(reader, type, of)).map(({ content }) => content).reverse();
  }
  const dialog = (reader: Person, { id: receiverId }: Person) => contentsOf(reader, 'getlatestMessageDialog', { receiverId });

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
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const contents = numbered(300);
    await Promise.all(contents.map((content) => write(ann, bob, content)));
    expect((await heard(bob)).map((item) => item?.message)).toEqual(contents);
    expect(await dialog(bob, ann)).toEqual(contents);
    await expectNoGaps();
  });

  test('sends that come while others are being written keep the order too', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const contents = numbered(300);
    const sent: Promise<unknown>[] = [];
    for (const content of contents) {
      sent.push(write(ann, bob, content));
      // The server gets a turn between any two, so they come to it one by one.
      await setImmediate();
    }
    await Promise.all(sent);
    expect((await heard(bob)).map((item) => item?.message)).toEqual(contents);
    expect(await dialog(bob, ann)).toEqual(contents);
  });

  test('300 sends into a group likewise', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob]);
    const contents = numbered(300);
    await Promise.all(contents.map((content) => writeToGroup(ann, groupId, content)));
    expect((await heard(bob, 'messageInGroup')).map((item) => item?.message)).toEqual(contents);
    expect(await contentsOf(bob, 'getlatestMessageGroup', { groupId })).toEqual(['created', 'added', ...contents]);
  });

  test('sends into many conversations at once keep the order of each', async () => {
    const people = await Promise.all(numbered(6).map(() => newPerson(server)));
    const [ann, ...others] = people;
    if (!ann) throw new Error('nobody');
    await Promise.all(numbered(40).flatMap((content) => others.map((other) => write(ann, other, content))));
    for (const other of others) expect(await dialog(other, ann)).toEqual(numbered(40));
    await expectNoGaps();
  });

  test('both sides see one order when both write at once, also through two servers', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(other)];
    await Promise.all([
      ...numbered(150, 'a').map((content) => write(ann, bob, content)),
      ...numbered(150, 'b').map((content) => write(bob, ann, content)),
    ]);
    const seen = await dialog(ann, bob);
    expect(await dialog(bob, ann)).toEqual(seen);
    expect(seen.filter((content) => String(content).startsWith('a'))).toEqual(numbered(150, 'a'));
    expect(seen.filter((content) => String(content).startsWith('b'))).toEqual(numbered(150, 'b'));
    await expectNoGaps();
  });

  test('what is broadcast of both sides when both write at once is what is stored: who, when and in which order', async () => {
    const [ann, bob] = [await newPerson(server, 'Ann', 'Archer'), await newPerson(server, 'Bob', null)];
    await write(ann, bob, 'a');
    await Promise.all(
      numbered(60, 'a').flatMap((content) => [write(ann, bob, content), write(bob, ann, content), write(ann, bob, 'more')]),
    );
    const stored = (await readAll(ann, 'getlatestMessageDialog', { receiverId: bob.id })).reverse();
    for (const [from, lastName, to] of [[ann, 'Archer', bob] as const, [bob, null, ann] as const]) {
      const sent = stored.filter(({ senderId }) => senderId === from.id);
      expect((await heard(to)).map((item) => [item?.messageId, item?.senderName, item?.senderLastName, item?.createdAt])).toEqual(
        sent.map((row) => [row.messageId, row.senderName, lastName, row.createdAt]),
      );
    }
    await expectNoGaps();
  });

  test('members who write, add and leave through two servers at once see one order without gaps', async () => {
    const people = [await newPerson(server), await newPerson(other), await newPerson(server), await newPerson(other)] as const;
    const [ann, bob, carl, dora] = people;
    const groupId = await newCircle(server, [ann, bob, carl]);
    await Promise.all([
      ...numbered(60, 'a').map((content) => writeToGroup(ann, groupId, content)),
      ...numbered(60, 'b').map((content) => writeToGroup(bob, groupId, content)),
      ...numbered(60, 'c').map((content) => writeToGroup(carl, groupId, content)),
      write(ann, bob, 'aside'),
      write(bob, ann, 'aside'),
      add(bob, groupId, dora),
      leave(carl, groupId),
    ]);
    const seen = await contentsOf(ann, 'getlatestMessageGroup', { groupId });
    for (const person of [bob, dora]) expect(await contentsOf(person, 'getlatestMessageGroup', { groupId })).toEqual(seen);
    for (const from of ['a', 'b', 'c']) {
      expect(seen.filter((content) => new RegExp(`^${from}\\d`).test(String(content)))).toEqual(numbered(60, from));
    }
    expect(seen).toHaveLength(3 * 60 + 5);
    await expectNoGaps();
  });

  test('the same messages sent through two servers at once are stored once each', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const elsewhere = { ...ann, socket: await connect(other, ann) };
    const ids = numbered(100).map(() => randomUUID());
    await Promise.all(ids.flatMap((messageId, index) => [ann, elsewhere].map((sender) => write(sender, bob, String(index), messageId))));
    const seen = await dialog(ann, bob);
    expect(seen.map(Number).sort((one, another) => one - another)).toEqual(ids.map((_, index) => index));
    const told = (await heard(bob, 'privateMessage')).map((item) => item?.messageId);
    expect(new Set(told).size).toBe(told.length);
    await expectNoGaps();
  });

  test('many dialogs begun from both sides on two servers at once all succeed, without a deadlock', async () => {
    const people = await Promise.all(numbered(12).map((_, index) => newPerson(index % 2 ? server : other)));
    await Promise.all(people.flatMap((sender) => people.map((receiver) => write(sender, receiver, 'first'))));
    await expectNoGaps();
    for (const person of people) {
      expect(await person.socket.rows('listLastMessage', { limit: 100, cursorCreatedAt: null })).toHaveLength(people.length);
      expect(await dialog(person, person)).toEqual(['first']);
    }
  });

  test('the clock of the database going back does not make a message older than the one before', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'from the future');
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
    for (const content of numbered(3)) await write(ann, bob, content);
    expect(await dialog(ann, bob)).toEqual(['from the future', '0', '1', '2']);
    await expectNoGaps();
  });
});
