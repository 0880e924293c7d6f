import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { query } from './support/database.ts';
import { call } from './support/http.ts';
import { A_TIME, heard, NASTY_TEXTS, NEWEST, newCircle, newPerson, type Person, remove } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { device, KINDS, Talk } from './support/talks.ts';

describe('editMessage', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    server = await startServer({ EDIT_WINDOW: '10m' });
    [ann, bob] = [await newPerson(server), await newPerson(server)];
  });
  afterAll(() => server.app.stop());

  const edit = (talk: Talk, by: Person, messageId: string, content: unknown) => talk.ask(by, 'editMessage', messageId, { content });
  const refusal = (talk: Talk, by: Person, messageId: string, content: unknown) => talk.refusal(by, 'editMessage', messageId, { content });
  /** As if a message had been sent so much earlier. */
  const age = (messageId: string, interval: string) =>
    query(server.databaseUrl, 'UPDATE messages SET created_at = created_at - $2::interval WHERE id = $1', [messageId, interval]);

  test.for(KINDS)('in a %s: gives a message any other content, and leaves its place and its time', async (kind) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    const [before] = await talk.history(bob);
    expect(before).toMatchObject({ content: 'Hello', editedAt: null });
    for (const content of NASTY_TEXTS) {
      await edit(talk, ann, messageId, content);
      const [row] = await talk.history(bob);
      expect(row).toEqual({ ...before, content, editedAt: A_TIME, rev: expect.any(Number) });
    }
    const [row] = await talk.history(bob);
    expect(row?.rev).toBe((before?.rev ?? 0) + NASTY_TEXTS.length);
  });

  test('stores texts exactly, however often', async () => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }).filter((one) => !one.includes('\0') && one.isWellFormed());
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), async (texts) => {
        for (const content of texts) expect(await edit(talk, ann, messageId, content)).toMatchObject({ item: { content } });
        expect((await talk.history(bob))[0]).toMatchObject({ messageId, content: texts.at(-1) });
      }),
      { numRuns: 20 },
    );
  });

  test('back to what was sent first is an edit, and to what it is now is none', async () => {
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    expect(await edit(talk, ann, messageId, 'Hello')).toMatchObject({ item: { editedAt: null, rev: 1 } });
    await edit(talk, ann, messageId, 'Bye');
    expect(await edit(talk, ann, messageId, 'Hello')).toMatchObject({ item: { content: 'Hello', editedAt: A_TIME, rev: 3 } });
    expect(await talk.history(bob)).toMatchObject([{ content: 'Hello', editedAt: A_TIME, rev: 3 }]);
  });

  test.each([[''], ['x'.repeat(10_001)], ['a\0b'], ['\ud800'], [null], [7], [[]], [undefined]])('to %j is refused', async (content) => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    const request = { ...talk.name(ann), messageId, content };
    expect(await ann.socket.fail('editMessage', request)).toMatchObject({ code: 'invalid_params', issues: [{ path: 'content' }] });
    const overHttp = await call(server, 'PATCH', `${talk.path(ann)}/messages/${messageId}`, { token: ann.token, body: { content } });
    expect(overHttp).toMatchObject({ status: 400, body: { code: 'invalid_params', errors: [{ path: 'content' }] } });
    expect(await talk.history(ann)).toMatchObject([{ content: 'Hello' }, ...(await talk.history(ann)).slice(1)]);
  });

  test.for(KINDS)('in a %s: is for its author alone, whatever the role of others is', async (kind) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const messageId = await talk.say(bob, 'Hello');
    expect(await refusal(talk, ann, messageId, 'Edited')).toBe('not_the_author');
    expect(await refusal(talk, ann, messageId, 'Hello')).toBe('not_the_author');
    expect((await talk.history(ann))[0]).toMatchObject({ content: 'Hello', editedAt: null });
  });

  test('is for no notification: what tells of a change of the group is not made to say something else', async () => {
    const groupId = await newCircle(server, [ann, bob]);
    const messageId = randomUUID();
    await remove(ann, groupId, bob, messageId);
    expect(await ann.socket.fail('editMessage', { groupId, messageId, content: 'Bob has left' })).toMatchObject({ code: 'not_the_author' });
    const path = `/groups/${groupId}/messages/${messageId}`;
    const overHttp = await call(server, 'PATCH', path, { token: ann.token, body: { content: 'Bob has left' } });
    expect(overHttp).toMatchObject({ status: 403, body: { code: 'not_the_author' } });
    const [newest] = await ann.socket.rows('getlatestMessageGroup', { groupId, ...NEWEST });
    expect(newest).toMatchObject({ messageId, content: 'removed', editedAt: null });
  });

  test('is possible for as long as EDIT_WINDOW says, and what was done in time can be asked for again later', async () => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const messageId = await talk.say(ann, 'Hello');
    await talk.say(ann, 'Something later');
    await age(messageId, '9 minutes');
    const { item } = await edit(talk, ann, messageId, 'In time');
    await age(messageId, '61 seconds');
    expect(await refusal(talk, ann, messageId, 'Too late')).toBe('too_late_to_edit');
    expect(await edit(talk, ann, messageId, 'In time')).toMatchObject({ item: { ...item } });
    const overHttp = { token: ann.token, body: { content: 'Too late' } };
    expect(await call(server, 'PATCH', `${talk.path(ann)}/messages/${messageId}`, overHttp)).toMatchObject({
      status: 403,
      body: { code: 'too_late_to_edit' },
    });
    expect(await talk.ask(ann, 'deleteMessage', messageId)).toMatchObject({ item: { messageId } });
  });

  test('in the dialog with oneself reaches the other devices once', async () => {
    const talk = await Talk.begin(server, 'dialog', [ann, ann]);
    const messageId = await talk.say(ann, 'A note');
    const other = await device(server, ann);
    await edit(talk, ann, messageId, 'Another note');
    expect(await heard(other)).toMatchObject([{ companionId: ann.id, groupId: null, messageId, content: 'Another note' }]);
  });
});
