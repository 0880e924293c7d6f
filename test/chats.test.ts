import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setTimes as setTimesOf } from './support/chatTimes.ts';
import { call, newGroup, newUser } from './support/http.ts';
import {
  A_TIME,
  NEWEST,
  newCircle,
  newPerson,
  type Person,
  placeAt,
  readAll,
  readPages,
  UNCHANGED,
  write,
  writeToGroup,
} from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

/** A chat of which its user has set nothing. */
const UNSET = { muted: false, pinned: false, title: null };

describe('listLastMessage', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const chats = ({ socket }: Person) => socket.rows('listLastMessage', NEWEST);
  const contents = async (person: Person) => (await chats(person)).map(({ content }) => content);

  async function deleteDialog({ token }: Person, { id }: { id: string }): Promise<void> {
    expect((await call(server, 'DELETE', `/dialogs/${id}`, { token })).status).toBe(200);
  }

  test('is empty for somebody who has just come', async () => {
    const { socket } = await newPerson(server);
    expect(await socket.ask('listLastMessage', NEWEST)).toEqual({ item: null, data: [], isBroadcast: false });
  });

  test('gives a dialog to both sides with exactly the promised fields', async () => {
    const [ann, bob] = [await newPerson(server, 'Ann', 'Archer'), await newPerson(server, 'Bob', null)];
    await write(ann, bob, 'Hello');
    const messageId = randomUUID();
    await write(bob, ann, 'Hello yourself', messageId);
    const row = {
      messageId,
      senderId: bob.id,
      senderName: 'Bob',
      senderLastName: null,
      receiverId: ann.id,
      receiverName: 'Ann',
      receiverLastName: 'Archer',
      groupId: null,
      groupName: null,
      content: 'Hello yourself',
      ...placeAt(2),
      updatedAt: A_TIME,
      ...UNCHANGED,
      memberCount: null,
      ...UNSET,
    };
    // Ann has not read the answer; Bob wrote it, and has read all.
    for (const { person, ...marks } of [
      { person: ann, unreadCount: 1, companionReadSeq: 2 },
      { person: bob, unreadCount: 0, companionReadSeq: 1 },
    ]) {
      const data = [{ ...row, ...marks }];
      expect(await person.socket.ask('listLastMessage', NEWEST)).toEqual({ item: null, data, isBroadcast: false });
    }
    await write(ann, bob, 'And again');
    for (const person of [ann, bob]) {
      expect(await chats(person)).toMatchObject([{ senderLastName: 'Archer', receiverId: bob.id, receiverLastName: null }]);
    }
  });

  test('gives a group to every member with exactly the promised fields', async () => {
    const [ann, bob] = [await newPerson(server, 'Ann', null), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob], 'Friends');
    const messageId = randomUUID();
    await writeToGroup(ann, groupId, 'Hello, all', messageId);
    const row = {
      messageId,
      senderId: ann.id,
      senderName: 'Ann',
      senderLastName: null,
      receiverId: null,
      receiverName: null,
      receiverLastName: null,
      groupId,
      groupName: 'Friends',
      content: 'Hello, all',
      ...placeAt(3),
      updatedAt: A_TIME,
      ...UNCHANGED,
      companionReadSeq: null,
      memberCount: 2,
      ...UNSET,
    };
    expect(await chats(ann)).toEqual([{ ...row, unreadCount: 0 }]);
    // Bob has not read that he was added, either.
    expect(await chats(bob)).toEqual([{ ...row, unreadCount: 2 }]);
  });

  test('gives a dialog with oneself once, with oneself on both sides', async () => {
    const ann = await newPerson(server, 'Ann', 'Archer');
    await write(ann, ann, 'Buy milk');
    const me = {
      senderId: ann.id,
      senderName: 'Ann',
      senderLastName: 'Archer',
      receiverId: ann.id,
      receiverName: 'Ann',
      receiverLastName: 'Archer',
    };
    expect(await chats(ann)).toMatchObject([{ ...me, groupId: null, groupName: null, content: 'Buy milk' }]);
  });

  test('has one row for each chat, the newest first, as in the history of each', async () => {
    const [ann, bob, carl] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    const groupId = await newGroup(server, ann);
    await write(ann, bob, 'To Bob');
    await write(carl, ann, 'From Carl');
    await writeToGroup(ann, groupId, 'To all');
    expect(await contents(ann)).toEqual(['To all', 'From Carl', 'To Bob']);
    await write(bob, ann, 'From Bob');
    expect(await contents(ann)).toEqual(['From Bob', 'To all', 'From Carl']);
    const [newest] = await ann.socket.rows('getlatestMessageDialog', { receiverId: bob.id, ...NEWEST });
    const [first] = await chats(ann);
    expect(first).toMatchObject(newest ?? {});
  });

  test('a dialog deleted for me is hidden up to now, from me alone; a new message brings back what is new', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'One');
    await write(bob, ann, 'Two');
    await deleteDialog(ann, bob);
    expect(await chats(ann)).toEqual([]);
    expect(await contents(bob)).toEqual(['Two']);
    await write(ann, bob, 'Three');
    expect(await contents(ann)).toEqual(['Three']);
    expect((await readAll(ann, 'getlatestMessageDialog', { receiverId: bob.id }, 1)).map(({ content }) => content)).toEqual(['Three']);
    expect(await readAll(bob, 'getlatestMessageDialog', { receiverId: ann.id })).toHaveLength(3);
    await deleteDialog(bob, ann);
    expect(await chats(bob)).toEqual([]);
    expect(await contents(ann)).toEqual(['Three']);
  });

  test('a repeat of a message from before the deletion does not bring the dialog back', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const messageId = randomUUID();
    await write(ann, bob, 'Once', messageId);
    await deleteDialog(ann, bob);
    await write(ann, bob, 'Once', messageId);
    expect(await chats(ann)).toEqual([]);
  });

  describe('with many chats', () => {
    const COUNT = 12;
    let ann: Person;
    beforeAll(async () => {
      ann = await newPerson(server);
      const others = await Promise.all(Array.from({ length: COUNT - 2 }, () => newUser(server)));
      await Promise.all(others.map((other, index) => write(ann, other, `Dialog ${index}`)));
      await newGroup(server, ann);
      await write(ann, ann, 'To myself');
    });

    const setTimes = (moments: number[]) => setTimesOf(server.databaseUrl, ann, moments);

    test('pages of any size neither skip nor repeat one, and give them in the order of the whole list', async () => {
      await setTimes(Array.from({ length: COUNT }, (_, index) => index));
      const whole = await chats(ann);
      expect(whole).toHaveLength(COUNT);
      for (const limit of [1, 2, 5, COUNT, 100]) {
        const pages = await readPages(ann, 'listLastMessage', {}, limit);
        expect(pages.flat()).toEqual(whole);
        expect(pages[0]).toHaveLength(Math.min(limit, COUNT));
      }
    });

    test('chats with an equal time stand on one page, even if it exceeds the limit', async () => {
      await setTimes([5, 4, 4, 4, 3, 2, 2, 1, 1, 1, 1, 0]);
      const pages = await readPages(ann, 'listLastMessage', {}, 2);
      expect(pages.map(({ length }) => length)).toEqual([4, 3, 4, 1]);
      expect(new Set(pages.flat().map(({ messageId }) => messageId)).size).toBe(COUNT);
    });

    test('pages neither skip nor repeat a chat, however the times are shared and whatever the limit', async () => {
      const moments = fc.array(fc.nat(5), { minLength: COUNT, maxLength: COUNT });
      await fc.assert(
        fc.asyncProperty(moments, fc.integer({ min: 1, max: COUNT + 1 }), async (moments, limit) => {
          await setTimes(moments);
          const pages = await readPages(ann, 'listLastMessage', {}, limit);
          const ids = pages.flat().map(({ messageId }) => messageId);
          expect([ids.length, new Set(ids).size]).toEqual([COUNT, COUNT]);
          for (const page of pages.slice(0, -1)) expect(page.length).toBeGreaterThanOrEqual(limit);
          const times = pages.flat().map(({ createdAt }) => String(createdAt));
          expect(times).toEqual([...times].sort().reverse());
        }),
        { numRuns: 20 },
      );
    });
  });
});
