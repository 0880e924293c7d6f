import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { call } from './support/http.ts';
import { add, leave, NEWEST, newCircle, newPerson, type Person, writeMany } from './support/people.ts';
import { chat, read, said } from './support/reading.ts';
import { startServer, type TestServer } from './support/server.ts';

/** One of the two of a dialog, and how far that one has read, by own account and by deletion. */
interface Side {
  person: Person;
  seen: number;
  cleared: number;
}

/** What a side does; `back` is how far from the end the message is that it is done to. */
interface Step {
  isFirst: boolean;
  act: 'write' | 'read' | 'delete';
  back: number;
}

/** A dialog, and what the chat lists of the two should say of it. */
class Dialog {
  readonly #server: TestServer;
  readonly #messages: { id: string; writer: Side }[] = [];
  readonly #sides: [Side, Side];

  constructor(server: TestServer, one: Person, other: Person) {
    this.#server = server;
    this.#sides = [
      { person: one, seen: 0, cleared: 0 },
      { person: other, seen: 0, cleared: 0 },
    ];
  }

  async take({ isFirst, act, back }: Step): Promise<void> {
    const [me, other] = isFirst ? this.#sides : [this.#sides[1], this.#sides[0]];
    if (act === 'write') {
      this.#messages.push({ id: await said(me.person, other.person), writer: me });
      me.seen = this.#messages.length;
    } else if (act === 'delete') {
      await call(this.#server, 'DELETE', `/dialogs/${other.person.id}`, { token: me.person.token });
      me.cleared = this.#messages.length;
    } else await this.#read(me, other, this.#messages.length - back);
  }

  async #read(me: Side, other: Side, seq: number): Promise<void> {
    const message = this.#messages[seq - 1];
    const isThere = message !== undefined && seq > me.cleared;
    const params = { receiverId: other.person.id, messageId: message?.id ?? randomUUID() };
    expect('success' in (await me.person.socket.request('markRead', params))).toBe(isThere);
    if (isThere) me.seen = Math.max(me.seen, seq);
  }

  async check(): Promise<void> {
    const [one, other] = this.#sides;
    for (const [me, companion] of [
      [one, other],
      [other, one],
    ] as const) {
      const row = await chat(me.person, { receiverId: companion.person.id });
      const unread = this.#messages.slice(Math.max(me.seen, me.cleared)).filter(({ writer }) => writer === companion);
      const isShown = this.#messages.length > me.cleared;
      expect(row?.unreadCount).toBe(isShown ? unread.length : undefined);
      expect(row?.companionReadSeq).toBe(isShown ? companion.seen : undefined);
    }
  }
}

describe('the chat list says what is unread', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  test('exactly up to 999, and then 999', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const ids = [await said(ann, bob), await said(ann, bob)];
    await writeMany(ann, bob, 997);
    expect(await chat(bob, { receiverId: ann.id })).toMatchObject({ unreadCount: 999, seq: 999 });
    await writeMany(ann, bob, 2);
    expect(await chat(bob, { receiverId: ann.id })).toMatchObject({ unreadCount: 999, seq: 1001 });
    expect(await read(bob, { receiverId: ann.id }, ids[0] ?? '')).toEqual({ unreadCount: 999 });
    expect(await read(bob, { receiverId: ann.id }, ids[1] ?? '')).toEqual({ unreadCount: 999 });
    expect(await read(bob, { receiverId: ann.id }, await said(ann, bob))).toEqual({ unreadCount: 0 });
  });

  test('in a dialog, whatever the two write, read and delete', async () => {
    // Each run goes on where the last one left it.
    const dialog = new Dialog(server, await newPerson(server), await newPerson(server));
    const step = fc.record({ isFirst: fc.boolean(), act: fc.constantFrom('write', 'write', 'read', 'delete'), back: fc.nat(8) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        for (const step of steps) await dialog.take(step);
        await dialog.check();
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  test('in a group: not what was there before I came, but that I was added; and nothing before what I write', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann]);
    for (let count = 0; count < 5; count++) await said(ann, groupId);
    await add(ann, groupId, bob);
    expect(await chat(bob, { groupId })).toMatchObject({ unreadCount: 1, memberCount: 2 });
    await said(ann, groupId);
    expect(await chat(bob, { groupId })).toMatchObject({ unreadCount: 2 });
    await said(bob, groupId);
    expect(await chat(bob, { groupId })).toMatchObject({ unreadCount: 0 });
    expect(await chat(ann, { groupId })).toMatchObject({ unreadCount: 1 });
    await leave(bob, groupId);
    expect(await chat(ann, { groupId })).toMatchObject({ unreadCount: 2, memberCount: 1 });
    for (let count = 0; count < 5; count++) await said(ann, groupId);
    await add(ann, groupId, bob);
    expect(await chat(bob, { groupId })).toMatchObject({ unreadCount: 1 });
  });

  test('to each of many who write at once: what the others wrote after the own last message', async () => {
    const people: [Person, Person, Person] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, people);
    await Promise.all(people.flatMap((person) => Array.from({ length: 20 }, () => said(person, groupId))));
    const rows = await people[0].socket.rows('getlatestMessageGroup', { groupId, ...NEWEST });
    for (const person of people) {
      const unreadCount = rows.findIndex(({ senderId }) => senderId === person.id);
      expect(await chat(person, { groupId })).toMatchObject({ unreadCount });
    }
  });

  test('no index holds what readers and settings change, so that a row is changed where it lies', async () => {
    const indexed = await query<{ name: string }>(
      server.databaseUrl,
      `SELECT DISTINCT attname AS name FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
       WHERE indrelid = 'members'::regclass ORDER BY 1`,
    );
    expect(indexed.map(({ name }) => name)).toEqual(['conversation_id', 'joined_at', 'user_id']);
  });
});
