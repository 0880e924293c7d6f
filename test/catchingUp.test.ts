import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { query } from './support/database.ts';
import { call } from './support/http.ts';
import { newCircle, newPerson, type Person, write, writeMany, writeToGroup } from './support/people.ts';
import { Replica, storedContents } from './support/replica.ts';
import { startServer, type TestServer } from './support/server.ts';

describe('a client that catches up', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.app.stop());

  const remove = (person: Person, { id }: Person) => call(server, 'DELETE', `/dialogs/${id}`, { token: person.token });
  /** What an edit does, of whosever message: another content, and the next `rev` of the conversation. */
  async function edit(conversationId: string, seq: number, content: string): Promise<void> {
    await query(
      server.databaseUrl,
      `WITH moved AS (UPDATE conversations SET last_rev = last_rev + 1 WHERE id = $1 RETURNING id, last_rev)
       UPDATE messages SET content = $3, rev = moved.last_rev FROM moved WHERE conversation_id = moved.id AND seq = $2`,
      [conversationId, seq, content],
    );
  }

  test('never gives what I have deleted, not even when it was edited since', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await writeMany(bob, ann, 4);
    await remove(ann, bob);
    await edit(dialogId(ann.id, bob.id), 2, 'Edited');
    await write(bob, ann, 'Afterwards');
    for (const limit of [1, 2, 500]) {
      const replica = new Replica(ann);
      expect(await replica.catchUp(limit)).toMatchObject([{ content: 'Afterwards', seq: 5, rev: 6 }]);
    }
  });

  test('an edit is given once more with its new content, wherever the client stood', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await writeMany(ann, bob, 6);
    const id = dialogId(ann.id, bob.id);
    for (const [seq, content] of [
      [2, 'Two'],
      [5, 'Five'],
      [2, 'Two again'],
    ] as const)
      await edit(id, seq, content);
    const stored = [{ seq: 1 }, { seq: 3 }, { seq: 4 }, { seq: 6 }, { seq: 5, content: 'Five' }, { seq: 2, content: 'Two again' }];
    for (const limit of [1, 2, 4, 500]) expect(await new Replica(bob).catchUp(limit)).toMatchObject(stored);
  });

  test('what is written while somebody catches up is neither skipped nor given twice', async () => {
    const [ann, bob, carl] = [await newPerson(server), await newPerson(server), await newPerson(server)];
    const groupId = await newCircle(server, [ann, bob, carl]);
    const replica = new Replica(bob);
    await replica.catchUp(10);
    let isWriting = true;
    const written = Promise.all(
      Array.from({ length: 200 }, (_, index) => Promise.all([write(ann, bob, `a${index}`), writeToGroup(carl, groupId, `c${index}`)])),
    ).finally(() => {
      isWriting = false;
    });
    const seen: string[] = [];
    while (isWriting) seen.push(...(await replica.catchUp(7)).map(({ messageId }) => messageId));
    await written;
    seen.push(...(await replica.catchUp(7)).map(({ messageId }) => messageId));
    expect(seen).toHaveLength(400);
    expect(new Set(seen).size).toBe(400);
    expect(replica.contents).toEqual(await storedContents(bob));
  });

  test('who was away for long, and who knows more than a database that was restored, end with what is stored', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const replica = new Replica(bob);
    await writeMany(ann, bob, 5);
    await replica.catchUp(500);
    await writeMany(ann, bob, 1_001);
    expect(await replica.catchUp(500)).toEqual([]);
    expect(replica.contents).toEqual(await storedContents(bob));
    await query(server.databaseUrl, 'DELETE FROM messages WHERE conversation_id = $1 AND seq > 3', [dialogId(ann.id, bob.id)]);
    await query(
      server.databaseUrl,
      `UPDATE conversations SET (last_seq, last_rev, last_message_at) = (SELECT seq, rev, created_at FROM messages WHERE conversation_id = $1 AND seq = 3)
       WHERE id = $1`,
      [dialogId(ann.id, bob.id)],
    );
    await replica.catchUp(500);
    expect(replica.contents).toEqual(await storedContents(bob));
    expect([...replica.contents.values()]).toMatchObject([[{ seq: 1 }, { seq: 2 }, { seq: 3 }]]);
  });

  interface World {
    people: [Person, Person, Person];
    groups: [string, string];
    replicas: [Replica, Replica, Replica];
  }
  type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;
  const somebody = fc.constantFrom(0, 1, 2);
  const deed = fc.record({
    what: fc.constantFrom('write', 'write', 'tell', 'tell', 'edit', 'delete', 'leave', 'add', 'catchUp'),
    by: somebody,
    to: somebody,
    group: fc.constantFrom(0, 1),
    count: fc.integer({ min: 1, max: 6 }),
    limit: fc.constantFrom(1, 2, 3, 10, 500),
  });

  /** What is not allowed, because of what happened before, is refused and changes nothing. */
  function perform({ people, groups, replicas }: World, { what, by: actor, to: other, group, count, limit }: Deed): Promise<unknown> {
    const [by, to] = [people[actor], people[other]];
    const ofGroup = { groupId: groups[group], messageId: randomUUID() };
    const deeds = {
      write: () => writeMany(by, to, count),
      tell: () => by.socket.request('messageInGroup', { ...ofGroup, content: 'Hello' }),
      edit: () => edit(dialogId(by.id, to.id), count, `edited after ${ofGroup.messageId}`),
      delete: () => remove(by, to),
      leave: () => by.socket.request('leaveGroup', { ...ofGroup, message: 'left' }),
      add: () => by.socket.request('addUserInGroup', { ...ofGroup, userId: to.id, message: 'added' }),
      catchUp: () => replicas[actor].catchUp(limit),
    };
    return deeds[what]();
  }

  test('has exactly what is stored, whatever happened while it was away', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 10, maxLength: 40 }), fc.constantFrom(1, 3, 500), async (deeds, limit) => {
        const people: World['people'] = [await newPerson(server), await newPerson(server), await newPerson(server)];
        const groups: World['groups'] = [await newCircle(server, people), await newCircle(server, people)];
        const [first, second, third] = people;
        const replicas: World['replicas'] = [new Replica(first), new Replica(second), new Replica(third)];
        for (const deed of deeds) await perform({ people, groups, replicas }, deed);
        for (const replica of replicas) {
          await replica.catchUp(limit);
          expect(replica.contents).toEqual(await storedContents(replica.person));
        }
        await Promise.all(people.map(({ socket }) => socket.close()));
      }),
      { numRuns: 10 },
    );
  });
});
