import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newDatabase, query } from './support/database.ts';
import { type DatabaseProxy, openProxy } from './support/databaseProxy.ts';
import { eventually } from './support/eventually.ts';
import { heard, newPerson, type Person } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { type Answer, connect } from './support/socket.ts';
import { CHANGE_EVENTS, device, KINDS, Talk } from './support/talks.ts';

const EMOJIS = ['👍', '😀', '❤️'];
/** Messages that each writes, and changes while others are written. */
const EACH = 30;
/** Connections that each does it on: with one for each message the last changes would be answered with `busy` where the machine is slow. */
const CONNECTIONS = 6;

const placed = z.object({ rev: z.int() });
/** The `rev` in an answer, to a send or to a change. */
const revOf = ({ item, rev }: Answer['params']): number => rev ?? placed.parse(item).rev;

describe('Two servers in one conversation that write and change at once', () => {
  let here: TestServer;
  let there: TestServer;
  beforeAll(async () => {
    here = await startServer();
    there = await startServer({}, here.databaseUrl);
  });
  afterAll(() => Promise.all([here, there].map(({ app }) => app.stop())));

  /** Writes, and changes each message when it is stored; on several connections, so that all that comes at once. Returns every `rev`. */
  async function act(server: TestServer, person: Person, talk: Talk, target: string): Promise<number[]> {
    const type = talk.kind === 'dialog' ? 'privateMessage' : 'messageInGroup';
    const revs = Array.from({ length: CONNECTIONS }, async (_, first) => {
      const by = { ...person, socket: await connect(server, person) };
      const answers: Answer['params'][] = [];
      for (let index = first; index < EACH; index += CONNECTIONS) {
        const messageId = randomUUID();
        const params = index % 2 ? { messageId, content: 'Hello' } : { messageId, content: 'Hello', replyToId: target };
        answers.push(await by.socket.ask(type, { ...talk.name(by), ...params }));
        answers.push(await talk.ask(by, 'editMessage', messageId, { content: `Number ${index}` }));
        answers.push(await talk.ask(by, 'addReaction', target, { emoji: EMOJIS[index % EMOJIS.length] }));
        answers.push(await talk.ask(by, 'addReaction', messageId, { emoji: '👍' }));
        if (index % 3 === 0) answers.push(await talk.ask(by, 'deleteMessage', messageId));
      }
      await by.socket.close();
      return answers.map(revOf);
    });
    return (await Promise.all(revs)).flat();
  }

  test.for(KINDS)('in a %s: every change has a number of its own, without gaps, and counts and reactions are in step', async (kind) => {
    const [ann, bob] = [await newPerson(here), await newPerson(there)];
    const talk = await Talk.begin(here, kind, [ann, bob]);
    const target = await talk.say(ann, 'React to this');
    const [{ rev: first } = { rev: 0 }] = await talk.history(ann);
    const revs = new Set((await Promise.all([act(here, ann, talk, target), act(there, bob, talk, target)])).flat());
    const stored = await talk.missed(ann, 0);
    const last = Math.max(...stored.map(({ rev }) => rev));
    // Of reactions that were given already the answer has the number of the one before.
    expect([...revs].sort((one, other) => one - other)).toEqual(Array.from({ length: last - first }, (_, index) => first + 1 + index));
    expect(stored.map(({ rev }) => rev)).toEqual([...new Set(stored.map(({ rev }) => rev))].sort((one, other) => one - other));
    for (const afterRev of [0, first, first + 7, last - 20, last - 1, last]) {
      const missed = await talk.missed(bob, afterRev);
      const since = stored.filter(({ rev }) => rev > afterRev).map(({ messageId, rev }) => ({ messageId, rev }));
      expect(missed).toMatchObject(since);
      expect(missed).toHaveLength(since.length);
    }
    expect(stored.find(({ messageId }) => messageId === target)).toMatchObject({
      reactions: expect.arrayContaining(EMOJIS.map((emoji) => ({ emoji, count: 2, mine: true }))),
    });
    const outOfStep = await query(
      here.databaseUrl,
      `SELECT m.id FROM messages m
       LEFT JOIN LATERAL (
         SELECT jsonb_object_agg(emoji, given) AS given
         FROM (SELECT emoji, count(*) AS given FROM reactions r WHERE r.message_id = m.id GROUP BY emoji) each
       ) counted ON true
       LEFT JOIN LATERAL (
         SELECT jsonb_object_agg(one ->> 'emoji', one -> 'count') AS given FROM jsonb_array_elements(m.reactions) AS one
       ) held ON true
       WHERE counted.given IS DISTINCT FROM held.given`,
    );
    expect(outOfStep).toEqual([]);
  });
});

describe('When nobody can say whether a change of a message is committed', () => {
  let proxy: DatabaseProxy;
  let server: TestServer;
  beforeAll(async () => {
    proxy = await openProxy(await newDatabase());
    server = await startServer({}, proxy.url);
  });
  afterAll(async () => {
    await server.app.stop();
    await proxy.close();
  });

  test.for(KINDS)('in a %s, everybody is told to catch up, and finds it; asking again succeeds', async (kind) => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    const [{ rev } = { rev: 0 }] = await talk.history(ann);
    const told = [await device(server, ann, [...CHANGE_EVENTS, 'catchUp']), await device(server, bob, [...CHANGE_EVENTS, 'catchUp'])];
    const lost = proxy.loseCommit();
    expect(await talk.refusal(ann, 'editMessage', messageId, { content: 'Edited' })).toBe('unavailable');
    await lost;
    for (const person of told) {
      await person.socket.broadcast('catchUp');
      await eventually(async () => expect(await talk.missed(person, rev)).toMatchObject([{ content: 'Edited', rev: rev + 1 }]));
    }
    expect(await talk.ask(ann, 'editMessage', messageId, { content: 'Edited' })).toMatchObject({ item: { rev: rev + 1 } });
    for (const person of told) expect(await heard(person, 'messageEdited')).toEqual([]);
  });
});
