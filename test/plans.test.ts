import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  addConversations,
  addPeople,
  addStrangers,
  COMMON_TERM,
  COMMON_WORD,
  crowd,
  dialogOf,
  groupOf,
  indexMessages,
  RARE_TERM,
  RARE_WORD,
  settle,
} from '../bench/data.ts';
import { withClient } from '../bench/fill.ts';
import { newDatabase, query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { call, newUser, type TestUser } from './support/http.ts';
import { NEWEST, type Person, write, writeToGroup } from './support/people.ts';
import { explainAll, faultsOf, statementsOf, tablesOf } from './support/plans.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

const PEOPLE = 20_000;
/** Messages in the longest dialog and the longest group. */
const LONG = 20_000;
/** Changes of a message. */
const OFTEN = 5_000;
/** One person, and some who are too few for a sample. */
const ONE = { firstName: 'Aqzan+el', lastName: '李王芳', email: 'one@example.com' };
const SOME = Array.from({ length: 100 }, (_, index) => ({ firstName: 'Bwvan', lastName: '张陈明', email: `some${index}@example.com` }));
/** With those that begin here. */
const MY_CHATS = 500;
const MY_GROUPS = 20;
const GROUP_SIZE = 300;
const LARGE_GROUP_SIZE = 5_000;
/** Groups of somebody else, who is in a great many. */
const MANY_GROUPS = 3_000;
const OTHER_DIALOGS = 20_000;

interface World {
  databaseUrl: string;
  me: TestUser;
  /** Somebody with whom I have talked long. */
  companionId: string;
  /** The same, but I have deleted the first half. */
  clearedCompanionId: string;
  /** People with whom I have never talked, one for each time. */
  strangerIds: string[];
  /** Of short dialogs. */
  companionIds: string[];
  /** Of others, whose messages were changed often. */
  reactingIds: string[];
  groupId: string;
  largeGroupId: string;
  /** Somebody in a great many groups. */
  joiner: TestUser;
}

/** Many people with many chats, one of them me. */
async function fill(databaseUrl: string, me: TestUser, joiner: TestUser): Promise<World> {
  return withClient(databaseUrl, async (client) => {
    const people = await addPeople(client, crowd(PEOPLE));
    await addPeople(client, [ONE, ...SOME]);
    const [companionId = '', clearedCompanionId = '', ...others] = await addStrangers(client, MY_CHATS);
    // Of all groups it is the last to be found by its id.
    const id = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
    const group = { ...groupOf([me.id, companionId, joiner.id, ...people.slice(0, GROUP_SIZE)]), id };
    const cleared = dialogOf(me.id, clearedCompanionId);
    const groups = others.slice(0, MY_GROUPS - 2).map((id) => groupOf([me.id, id]));
    const dialogs = others.slice(0, MY_CHATS - MY_GROUPS - 4).map((id) => dialogOf(me.id, id));
    const long = [dialogOf(me.id, companionId), cleared, group];
    await addConversations(client, long, LONG);
    await client.query(
      `INSERT INTO reactions (conversation_id, message_id, user_id, emoji)
       SELECT conversation_id, id, sender_id, '👍' FROM messages WHERE conversation_id = ANY ($1) AND seq % 3 = 0`,
      [long.map(({ id }) => id)],
    );
    await client.query(
      `UPDATE messages SET reactions = '[{"emoji": "👍", "count": 1}]', reply_to_id = reply.earlier_id
       FROM (
         SELECT conversation_id, created_at, lag(id, 7) OVER (PARTITION BY conversation_id ORDER BY created_at) AS earlier_id
         FROM messages WHERE conversation_id = ANY ($1)
       ) reply
       WHERE messages.conversation_id = reply.conversation_id AND messages.created_at = reply.created_at AND messages.seq % 3 = 0`,
      [long.map(({ id }) => id)],
    );
    await addConversations(client, [...groups, ...dialogs], 20);
    const large = groupOf([me.id, companionId, ...people.slice(0, LARGE_GROUP_SIZE)]);
    const joined = people.slice(0, MANY_GROUPS).map((id) => groupOf([id, joiner.id]));
    await addConversations(client, [large, ...joined], 2);
    const pairs = people.slice(1).map((id, index) => dialogOf(people[index] ?? id, id));
    await addConversations(client, pairs.slice(0, OTHER_DIALOGS), 2);
    await client.query(
      `UPDATE members SET cleared_seq = seq, cleared_at = created_at
       FROM messages WHERE messages.conversation_id = $1 AND seq = $2 AND members.conversation_id = $1 AND user_id = $3`,
      [cleared.id, LONG / 2, me.id],
    );
    const reactingIds = others.slice(100, 140);
    const often = [reactingIds.map((id) => dialogOf(me.id, id).id), OFTEN];
    await client.query('UPDATE conversations SET last_rev = last_rev + $2 WHERE id = ANY ($1)', often);
    await client.query('UPDATE messages SET rev = rev + $2 WHERE conversation_id = ANY ($1)', often);
    await settle(client);
    await indexMessages(client);
    return {
      databaseUrl,
      me,
      companionId,
      clearedCompanionId,
      strangerIds: others.slice(-2),
      companionIds: others.slice(0, 97),
      reactingIds,
      groupId: group.id,
      largeGroupId: large.id,
      joiner,
    };
  });
}

let world: World;
beforeAll(async () => {
  const databaseUrl = await newDatabase();
  const server = await startServer({}, databaseUrl);
  world = await fill(databaseUrl, await newUser(server, 'Me', null), await newUser(server, 'Joiner', null));
  await server.app.stop();
});

describe.each(['force_custom_plan', 'force_generic_plan'] as const)('Plans that stay, however much there is, with %s:', (mode) => {
  let server: TestServer;
  let me: Person;

  beforeAll(async () => {
    await explainAll(world.databaseUrl, mode);
    server = await startServer({}, world.databaseUrl);
    me = { ...world.me, socket: await connect(server, world.me) };
  });
  afterAll(() => server.app.stop());

  /** Does something, and fails when one of its statements reads, sorts or throws away too much, or when it reads not even these tables. */
  async function expectGoodPlans(work: () => Promise<unknown>, tables: string[]): Promise<void> {
    const statements = await statementsOf(work);
    expect([...tablesOf(statements)]).toEqual(expect.arrayContaining(tables));
    expect(faultsOf(statements, MY_CHATS)).toEqual([]);
  }

  const page = (type: string, params: object) => async () => {
    expect(await me.socket.rows(type, { ...NEWEST, limit: 20, ...params })).toHaveLength(20);
  };
  const search = (path: string, given: Record<string, string>) => async () => {
    const { body } = await call(server, 'GET', `${path}?${new URLSearchParams(given)}`, { token: me.token });
    expect(body).toMatchObject({ data: expect.arrayContaining([expect.anything()]) });
  };
  /** When the message at `seq` of one of the long conversations was sent. */
  async function timeOf(conversationId: string, seq: number): Promise<Date | undefined> {
    const found = await query<{ created_at: Date }>(
      world.databaseUrl,
      'SELECT created_at FROM messages WHERE conversation_id = $1 AND seq = $2',
      [conversationId, seq],
    );
    return found[0]?.created_at;
  }

  test('a connection checks its session and finds its groups', async () => {
    await expectGoodPlans(async () => (await connect(server, me)).close(), ['sessions', 'members']);
  });

  test('a message is stored, in a dialog that is new, in a long one, and in a large group', async () => {
    const tables = ['conversations', 'messages', 'users'];
    await expectGoodPlans(() => write(me, { id: world.strangerIds.pop() ?? '' }, 'Hello'), [...tables, 'members']);
    await expectGoodPlans(() => write(me, { id: world.companionId }, 'Hello'), tables);
    await expectGoodPlans(() => writeToGroup(me, world.groupId, 'Hello'), [...tables, 'members']);
  });

  test.each(['a long dialog', 'a large group'])('a message in %s is answered, edited, reacted to and deleted', async (kind) => {
    const isDialog = kind === 'a long dialog';
    const of = isDialog ? { receiverId: world.companionId } : { groupId: world.groupId };
    const [messageId, replyId] = [randomUUID(), randomUUID()];
    const send = (params: object) => me.socket.ask(isDialog ? 'privateMessage' : 'messageInGroup', { ...of, content: 'Hello', ...params });
    const change = (type: string, params: object) => () => me.socket.ask(type, { ...of, messageId, ...params });
    const tables = ['conversations', 'members', 'messages'];
    await send({ messageId });
    await expectGoodPlans(() => send({ messageId: replyId, replyToId: messageId }), tables);
    await expectGoodPlans(change('editMessage', { content: 'Edited' }), tables);
    await expectGoodPlans(change('addReaction', { emoji: '👍' }), [...tables, 'reactions']);
    await expectGoodPlans(change('addReaction', { emoji: '😀' }), [...tables, 'reactions']);
    await expectGoodPlans(change('removeReaction', { emoji: '👍' }), [...tables, 'reactions']);
    await expectGoodPlans(change('deleteMessage', {}), [...tables, 'reactions']);
  });

  test('the chat list is read, at its newest end and far down', async () => {
    const tables = ['conversations', 'members', 'messages', 'users'];
    await expectGoodPlans(page('listLastMessage', {}), tables);
    const newer: Record<string, unknown>[] = [];
    while (newer.length < MY_CHATS - 50) {
      newer.push(...(await me.socket.rows('listLastMessage', { limit: 50, cursorCreatedAt: newer.at(-1)?.createdAt ?? null })));
    }
    await expectGoodPlans(page('listLastMessage', { cursorCreatedAt: newer.at(-1)?.createdAt }), tables);
  });

  test.each(['a dialog', 'a dialog of which I have deleted the first half', 'a group'])(
    '%s is read with its answers and reactions, at both ends and in the middle',
    async (kind) => {
      const receiverId = kind === 'a dialog' ? world.companionId : world.clearedCompanionId;
      const [type, of, id] =
        kind === 'a group'
          ? ['getlatestMessageGroup', { groupId: world.groupId }, world.groupId]
          : ['getlatestMessageDialog', { receiverId }, dialogOf(me.id, receiverId).id];
      const oldest = kind.includes('deleted') ? LONG / 2 : 0;
      const tables = ['conversations', 'members', 'messages', 'users', 'reactions'];
      await expectGoodPlans(page(type, of), tables);
      for (const seq of [LONG * 0.75, oldest + 21]) {
        await expectGoodPlans(page(type, { ...of, cursorCreatedAt: await timeOf(id, seq) }), tables);
      }
    },
  );

  test.each(['a dialog', 'a dialog of which I have deleted the first half', 'a large group'])(
    'in the middle of %s all before is marked as read',
    async (kind) => {
      const receiverId = kind === 'a dialog' ? world.companionId : world.clearedCompanionId;
      const name = kind === 'a large group' ? { groupId: world.groupId } : { receiverId };
      const id = name.groupId ?? dialogOf(me.id, receiverId).id;
      // What I wrote myself would be read already.
      await query(world.databaseUrl, 'UPDATE conversations SET lower_sent_seq = 0, higher_sent_seq = 0 WHERE id = $1', [id]);
      await query(world.databaseUrl, 'UPDATE members SET read_seq = 0 WHERE conversation_id = $1 AND user_id = $2', [id, me.id]);
      const [message] = await query<{ id: string }>(world.databaseUrl, 'SELECT id FROM messages WHERE conversation_id = $1 AND seq = $2', [
        id,
        LONG * 0.75,
      ]);
      const mark = async () =>
        expect((await me.socket.ask('markRead', { ...name, messageId: message?.id })).item).toEqual({ unreadCount: 999 });
      await expectGoodPlans(mark, ['conversations', 'members', 'messages']);
    },
  );

  test('who types, and what I call a chat, touches few rows', async () => {
    await expectGoodPlans(() => me.socket.ask('startTyping', { groupId: world.groupId }), ['conversations', 'members']);
    await expectGoodPlans(() => me.socket.ask('stopTyping', { receiverId: world.companionId }), ['users']);
    await expectGoodPlans(() => me.socket.ask('updateChat', { groupId: world.groupId, title: 'Ours' }), ['members']);
    await expectGoodPlans(() => me.socket.ask('updateChat', { receiverId: world.companionId, muted: true }), ['members', 'conversations']);
  });

  test('whether I may watch people is looked up by our dialogs and my groups', async () => {
    const userIds = [...world.companionIds.slice(0, 20), world.joiner.id];
    const watch = async () => expect(await me.socket.rows('watchPresence', { userIds })).toHaveLength(userIds.length);
    await expectGoodPlans(watch, ['conversations', 'members']);
  });

  test.each(['whom I watch', 'who watches me'])(
    'whether somebody in a great many groups, %s, shares one is looked up by mine',
    async (how) => {
      const joiner = { ...world.joiner, socket: await connect(server, world.joiner) };
      const [watcher, watched] = how === 'whom I watch' ? [me, joiner] : [joiner, me];
      await watcher.socket.ask('subscribe', { events: ['userStatus'] });
      await watcher.socket.rows('watchPresence', { userIds: [watched.id] });
      const tell = async () => {
        await watched.socket.close();
        const offline = expect.objectContaining({ userId: watched.id, status: 'offline' });
        await eventually(() => expect(watcher.socket.broadcasts.map(({ params }) => params.item)).toContainEqual(offline));
      };
      await expectGoodPlans(tell, ['conversations', 'members']);
      await watcher.socket.close();
      me = { ...world.me, socket: await connect(server, world.me) };
    },
  );

  test('what was missed is read, of one long conversation and of as many as can be named', async () => {
    const tables = ['conversations', 'members', 'messages', 'users'];
    const missed = (cursors: object[], limit: number, changedSince: unknown = null) =>
      me.socket.ask('getMissed', { cursors, limit, changedSince });
    const long = [
      { receiverId: world.companionId, afterRev: LONG - 900 },
      { receiverId: world.clearedCompanionId, afterRev: LONG - 10 },
      { groupId: world.groupId, afterRev: LONG - 900 },
    ];
    for (const [cursors, count] of [
      [long, 3],
      [long.slice(1), 300],
      [long.slice(2), 20],
    ] as const) {
      await expectGoodPlans(async () => expect((await missed([...cursors], count)).data).toHaveLength(count), tables);
    }
    const short = world.companionIds.map((receiverId, index) => ({ receiverId, afterRev: index % 2 }));
    await expectGoodPlans(async () => expect((await missed([...long, ...short], 300)).data).toHaveLength(300), tables);
    await expectGoodPlans(async () => expect((await missed(short, 300)).data).toHaveLength(300), tables);
    const reacted = world.reactingIds.map((receiverId) => ({ receiverId, afterRev: 20 }));
    await expectGoodPlans(async () => expect((await missed(reacted, 300)).data).toHaveLength(300), tables);
    const far = long.map((one) => ({ ...one, afterRev: 0 }));
    await expectGoodPlans(async () => expect((await missed(far, 300)).item).toMatchObject({ reset: [{}, {}, {}] }), ['members']);
  });

  test('chats that have changed are read, all of them and the last ones', async () => {
    const tables = ['conversations', 'members', 'messages', 'users'];
    const cursors = world.companionIds.map((receiverId) => ({ receiverId, afterRev: 20 }));
    const middle = (await me.socket.rows('listLastMessage', { limit: 50, cursorCreatedAt: null })).at(-1)?.createdAt;
    for (const changedSince of ['1970-01-01T00:00:00.000Z', middle]) {
      const changed = async () => {
        const { item } = await me.socket.ask('getMissed', { cursors, limit: 20, changedSince });
        expect(item).toMatchObject({ moreChats: true });
      };
      await expectGoodPlans(changed, tables);
    }
  });

  test('the members of a large group are read, at its beginning and far down', async () => {
    const members = (cursor: unknown) => me.socket.ask('getGroupMembers', { groupId: world.largeGroupId, limit: 100, cursor });
    let cursor: unknown = null;
    const next = async () => {
      const { item, data } = await members(cursor);
      expect(data).toHaveLength(100);
      cursor = item?.nextCursor;
    };
    await expectGoodPlans(next, ['members', 'users']);
    for (let page = 2; page < 0.8 * (LARGE_GROUP_SIZE / 100); page++) await next();
    await expectGoodPlans(next, ['members', 'users']);
  });

  test('my groups are read, however many they are', async () => {
    const { token } = world.joiner;
    const ids: unknown[] = [];
    const next = async () => {
      const { body } = await call(server, 'GET', `/groups?limit=100${ids.length ? `&cursor=${ids.at(-1)}` : ''}`, { token });
      expect(body).toMatchObject({ data: expect.arrayContaining([expect.objectContaining({ memberCount: expect.any(Number) })]) });
      ids.push(
        ...z
          .object({ data: z.array(z.object({ groupId: z.string() })) })
          .parse(body)
          .data.map(({ groupId }) => groupId),
      );
    };
    await expectGoodPlans(next, ['members', 'conversations']);
    while (ids.length < 0.8 * MANY_GROUPS) await next();
    await expectGoodPlans(next, ['members', 'conversations']);
  });

  test.each([
    ['20 people inside a name', RARE_TERM],
    ['half of all in the middle of a field', COMMON_TERM],
    ['half of all with more than a word', `${COMMON_TERM}.exam`],
    ['everybody', 'example'],
    ['many at the beginning of a name', 'ba'],
    ['one person by two letters', 'qz'],
    ['one person by two Chinese characters', '王芳'],
    ['one person by one Chinese character', '芳'],
    ['one person by a sign', '+'],
    ['one person by a sign, and a letter with which a word of everybody begins', '+e'],
    ['some by the end of a mailbox, and by what half of all have after a sign', 'e@example.com'],
    ['some by two letters', 'wv'],
    ['some by one Chinese character', '陈'],
    ['half of all by two letters', 'ai'],
    ['everybody by one letter', 'x'],
    ['all my groups', 'circle'],
    ['one of my groups', 'ircle 17'],
  ])('a search finds what matches %s', async (_what, searchText) => {
    await expectGoodPlans(search('/search', { searchText }), ['sessions', 'users', 'members', 'conversations']);
  });

  test.each([
    ['20 people inside a name', RARE_TERM],
    ['half of all in the middle of a field', COMMON_TERM],
    ['many at the beginning of a name', 'ba'],
    ['one person by two letters', 'qz'],
    ['one person by one Chinese character', '芳'],
    ['some by two letters', 'wv'],
    ['half of all by two letters', 'ai'],
  ])('a search for people who are not in a group finds what matches %s', async (_what, searchText) => {
    await expectGoodPlans(search('/search/users', { searchText, groupId: world.groupId }), ['sessions', 'users', 'members']);
  });

  test.each([
    ['a rare word', RARE_WORD, [20, 1]],
    ['a rare word beside a common one', `${COMMON_WORD} ${RARE_WORD}`, [20, 1]],
    ['the beginning of a rare word', RARE_WORD.slice(0, 3), [20, 1]],
    ['a common word', COMMON_WORD, [20, 20]],
    ['the beginning of a common word', COMMON_WORD.slice(0, 2), [20, 20]],
    ['a word that nobody wrote', 'nothing', [0, 0]],
  ] as const)('a search for messages finds %s, in all my chats, in a long dialog and in a large group', async (_what, text, counts) => {
    const find = (count: number, name: object) => async () =>
      expect((await me.socket.ask('searchMessages', { text, limit: 20, cursor: null, ...name })).data).toHaveLength(count);
    await expectGoodPlans(find(counts[0], {}), ['members', 'messages', 'conversations', 'users'].slice(0, counts[0] === 0 ? 1 : 4));
    for (const name of [{ receiverId: world.companionId }, { receiverId: world.clearedCompanionId }, { groupId: world.groupId }]) {
      await expectGoodPlans(find(counts[1], name), ['members']);
    }
  });
});
