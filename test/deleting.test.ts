import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { call } from './support/http.ts';
import { A_TIME, add, newPerson, type Person } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { KINDS, Talk } from './support/talks.ts';

describe('deleteMessage', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    server = await startServer();
    [ann, bob] = [await newPerson(server), await newPerson(server)];
  });
  afterAll(() => server.app.stop());

  const remove = (talk: Talk, by: Person, messageId: string) => talk.ask(by, 'deleteMessage', messageId);

  test.for(KINDS)('in a %s: leaves the row in its place, without content and reactions', async (kind) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    await talk.say(bob, 'Before');
    const messageId = await talk.say(ann, 'A secret');
    for (const by of [ann, bob]) await talk.ask(by, 'addReaction', messageId, { emoji: '👍' });
    const [before] = await talk.history(bob);
    await remove(talk, ann, messageId);
    for (const by of [ann, bob]) {
      const [row] = await talk.history(by);
      expect(row).toEqual({ ...before, content: '', deletedAt: A_TIME, reactions: [], rev: (before?.rev ?? 0) + 1 });
      for (const one of await talk.newest(by)) expect(one).toMatchObject({ messageId, content: '', deletedAt: A_TIME, reactions: [] });
    }
    const stored =
      'SELECT content, reactions, (SELECT count(*)::int FROM reactions WHERE message_id = $1) AS given FROM messages WHERE id = $1';
    expect(await query(server.databaseUrl, stored, [messageId])).toEqual([{ content: '', reactions: null, given: 0 }]);
  });

  test.for(KINDS)('in a %s: cannot be undone, edited or reacted to', async (kind) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const messageId = await talk.say(ann, 'A secret');
    const first = await remove(talk, ann, messageId);
    for (const [type, params] of [
      ['editMessage', { content: 'Back' }],
      ['addReaction', { emoji: '👍' }],
      ['removeReaction', { emoji: '👍' }],
    ] as const)
      expect(await talk.refusal(ann, type, messageId, params)).toBe('no_such_message');
    await talk.say(ann, 'A secret', { messageId });
    expect(await remove(talk, ann, messageId)).toEqual(first);
    expect((await talk.history(bob))[0]).toMatchObject({ messageId, content: '' });
  });

  test('in a dialog is for the author alone', async () => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    expect(await talk.refusal(bob, 'deleteMessage', messageId)).toBe('not_the_author');
    await remove(talk, ann, messageId);
    expect(await talk.refusal(bob, 'deleteMessage', messageId)).toBe('not_the_author');
  });

  test('in a group is for the author, the owner and the admins', async () => {
    const [admin, member] = [await newPerson(server), await newPerson(server)];
    const talk = await Talk.begin(server, 'group', [ann, bob]);
    const groupId = talk.groupId ?? '';
    for (const person of [admin, member]) await add(ann, groupId, person);
    await query(server.databaseUrl, `UPDATE members SET role = 'admin' WHERE conversation_id = $1 AND user_id = $2`, [groupId, admin.id]);
    const ids = [
      await talk.say(bob, 'One'),
      await talk.say(bob, 'Two'),
      await talk.say(bob, 'Three'),
      await talk.say(ann, 'Four'),
    ] as const;
    for (const messageId of ids) expect(await talk.refusal(member, 'deleteMessage', messageId)).toBe('not_the_author');
    for (const [by, messageId] of [
      [ann, ids[0]],
      [admin, ids[1]],
      [bob, ids[2]],
      [admin, ids[3]],
    ] as const)
      await remove(talk, by, messageId);
    const left = (await talk.history(bob)).filter(({ messageId }) => ids.includes(messageId));
    expect(left.map(({ content }) => content)).toEqual(['', '', '', '']);
  });

  test('over HTTP takes no body, and says what is wrong', async () => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    const path = `${talk.path(ann)}/messages/${messageId}`;
    expect(await call(server, 'DELETE', path, { token: ann.token, body: { content: '' } })).toMatchObject({ status: 400 });
    expect(await call(server, 'DELETE', `${path}0`, { token: ann.token })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'messageId' }] },
    });
    expect(await call(server, 'DELETE', path, { token: ann.token })).toMatchObject({ status: 200, body: { data: { deletedAt: A_TIME } } });
    const inGroup = `/groups/${bob.id}/messages/${messageId}`;
    expect(await call(server, 'DELETE', inGroup, { token: ann.token })).toMatchObject({ status: 403, body: { code: 'not_a_member' } });
  });
});
