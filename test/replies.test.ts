import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { query } from './support/database.ts';
import { call } from './support/http.ts';
import { heard, NEWEST, newPerson, type Person, placeAt } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { device, KINDS, type Row, Talk } from './support/talks.ts';

describe('A message that answers another one', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    server = await startServer();
    [ann, bob] = [await newPerson(server, 'Ann'), await newPerson(server, 'Bob')];
  });
  afterAll(() => server.app.stop());

  const broadcastOf = ({ kind }: Talk) => (kind === 'dialog' ? 'privateMessage' : 'messageInGroup');
  const remove = (talk: Talk, by: Person) => call(server, 'DELETE', talk.path(by), { token: by.token });
  /** Its `replyTo` in every list. */
  const quotes = async (talk: Talk, by: Person) => (await talk.newest(by)).map(({ replyTo }) => replyTo);
  const thrice = (quote: unknown) => [quote, quote, quote];

  test.for(KINDS)('in a %s: says which one in every list, and in the broadcasts to others and to other devices', async (kind) => {
    const [ann, bob] = [await newPerson(server, 'Ann'), await newPerson(server, 'Bob')];
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const replyToId = await talk.say(bob, 'How are you?');
    const other = await device(server, ann, ['ownMessages']);
    const messageId = await talk.say(ann, 'Fine', { replyToId: replyToId.toUpperCase() });
    const quote = { messageId: replyToId, senderName: 'Bob', content: 'How are you?', deleted: false };
    const told = await bob.socket.until((frame) => 'success' in frame && frame.params.item?.messageId === messageId);
    expect(told).toMatchObject({ params: { item: { message: 'Fine', replyTo: quote } } });
    expect(await other.socket.broadcast(broadcastOf(talk))).toMatchObject({ messageId, replyTo: quote, ...talk.address(ann) });
    for (const by of [ann, bob]) expect(await quotes(talk, by)).toEqual(thrice(quote));
    const [, question] = await talk.history(ann);
    expect(question).toMatchObject({ messageId: replyToId, replyTo: null });
  });

  test.for(KINDS)('in a %s: can be sent over HTTP, and shows the first 200 characters of the other', async (kind) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const replyToId = await talk.say(ann, `${'😀'.repeat(200)} and more`);
    const messageId = randomUUID();
    const body = { messageId, content: 'I see', replyToId };
    expect(await call(server, 'POST', `${talk.path(bob)}/messages`, { token: bob.token, body })).toMatchObject({ status: 201 });
    const quote = { messageId: replyToId, senderName: 'Ann', content: '😀'.repeat(200), deleted: false };
    expect(await quotes(talk, ann)).toEqual(thrice(quote));
    const told = await ann.socket.until((frame) => 'success' in frame && frame.params.item?.messageId === messageId);
    expect(told).toMatchObject({ params: { item: { replyTo: quote } } });
    const elsewhere = { ...body, messageId: randomUUID(), replyToId: randomUUID() };
    expect(await call(server, 'POST', `${talk.path(bob)}/messages`, { token: bob.token, body: elsewhere })).toMatchObject({
      status: 404,
      body: { code: 'no_such_message' },
    });
  });

  test.for(KINDS)('in a %s: shows what the other one is now', async (kind) => {
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const replyToId = await talk.say(bob, 'How are you?');
    await talk.say(ann, 'Fine', { replyToId });
    const quote = { messageId: replyToId, senderName: 'Bob', content: 'How is she?', deleted: false };
    await talk.ask(bob, 'editMessage', replyToId, { content: quote.content });
    for (const by of [ann, bob]) expect(await quotes(talk, by)).toEqual(thrice(quote));
    await talk.ask(bob, 'deleteMessage', replyToId);
    for (const by of [ann, bob]) expect(await quotes(talk, by)).toEqual(thrice({ ...quote, content: '', deleted: true }));
    // Who did not know of the deletion may answer still.
    await talk.say(ann, 'Really', { replyToId });
    for (const by of [ann, bob]) expect(await quotes(talk, by)).toEqual(thrice({ ...quote, content: '', deleted: true }));
    expect((await heard(bob, broadcastOf(talk))).at(-1)).toMatchObject({ replyTo: { content: '', deleted: true } });
  });

  test.for(KINDS)('in a %s: must answer one of the same conversation; otherwise nothing is stored', async (kind) => {
    const eve = await newPerson(server);
    const talk = await Talk.begin(server, kind, [ann, bob]);
    const known = await talk.say(bob, 'Hello');
    const elsewhere = [
      await (await Talk.begin(server, 'dialog', [ann, eve])).say(eve, 'A secret'),
      await (await Talk.begin(server, 'group', [ann, eve])).say(eve, 'A secret'),
    ];
    const messageId = randomUUID();
    const before = await talk.history(ann);
    for (const replyToId of [...elsewhere, messageId, randomUUID()]) {
      expect(await talk.refusal(ann, broadcastOf(talk), messageId, { content: 'What?', replyToId })).toBe('no_such_message');
    }
    expect(await talk.refusal(ann, broadcastOf(talk), messageId, { content: 'What?', replyToId: 'x' })).toBe('invalid_params');
    expect(await talk.history(ann)).toEqual(before);
    expect(await talk.refusal(eve, broadcastOf(talk), messageId, { content: 'What?', replyToId: known })).toBe(
      kind === 'dialog' ? 'no_such_message' : 'not_a_member',
    );
    await talk.say(ann, 'What?', { messageId, replyToId: known });
    expect(await quotes(talk, bob)).toMatchObject(thrice({ messageId: known }));
  });

  test.for(['a stranger', 'oneself'])(
    'to %s with whom there is no dialog: answers nothing that is there, and begins none',
    async (whom) => {
      const [eve, stranger] = [await newPerson(server), await newPerson(server)];
      const receiverId = whom === 'oneself' ? eve.id : stranger.id;
      const send = (params: object) =>
        eve.socket.fail('privateMessage', { messageId: randomUUID(), receiverId, content: 'What?', replyToId: randomUUID(), ...params });
      const issues = [{ path: 'replyToId', message: 'is no message of this conversation' }];
      expect(await send({})).toMatchObject({ code: 'no_such_message', issues });
      expect(await send({ receiverId: randomUUID() })).toMatchObject({ code: 'no_such_user' });
      const id = dialogId(eve.id, receiverId);
      expect(await query(server.databaseUrl, 'SELECT FROM conversations WHERE id = $1', [id])).toEqual([]);
      expect(await query(server.databaseUrl, 'SELECT FROM members WHERE conversation_id = $1', [id])).toEqual([]);
      expect(await eve.socket.fail('watchPresence', { userIds: [receiverId] })).toMatchObject({ code: 'no_shared_chat' });
      expect(await eve.socket.fail('updateChat', { receiverId, muted: true })).toMatchObject({ code: 'no_such_chat' });
    },
  );

  test('refused beside the first message of a dialog leaves that one alone', async () => {
    const [eve, stranger] = [await newPerson(server), await newPerson(server)];
    const send = (content: string, replyToId?: string) =>
      eve.socket.request('privateMessage', { messageId: randomUUID(), receiverId: stranger.id, content, replyToId });
    const answers = await Promise.all([send('What?', randomUUID()), send('Hello'), send('What?', randomUUID())]);
    expect(answers).toMatchObject([{ code: 'no_such_message' }, { params: placeAt(1) }, { code: 'no_such_message' }]);
    expect(await stranger.socket.rows('listLastMessage', NEWEST)).toMatchObject([{ content: 'Hello', seq: 1, rev: 1 }]);
  });

  test('to nothing is one that answers none', async () => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    await ann.socket.ask('privateMessage', { ...talk.name(ann), messageId: randomUUID(), content: 'Hello', replyToId: null });
    expect(await quotes(talk, bob)).toEqual(thrice(null));
  });

  test('cannot answer what I have deleted with the dialog, and shows it to nobody who has', async () => {
    const [ann, bob] = [await newPerson(server, 'Ann'), await newPerson(server, 'Bob')];
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const replyToId = await talk.say(bob, 'A secret');
    await talk.say(bob, 'Know this?', { replyToId });
    expect(await remove(talk, ann)).toMatchObject({ status: 200 });
    const messageId = randomUUID();
    expect(await talk.refusal(ann, 'privateMessage', messageId, { content: 'What?', replyToId })).toBe('no_such_message');
    const bobsOther = await device(server, bob, ['ownMessages']);
    await talk.say(bob, 'Remember?', { messageId, replyToId });
    const quote = { messageId: replyToId, senderName: 'Bob', content: 'A secret', deleted: false };
    const hidden = { ...quote, content: '', deleted: true };
    expect((await heard(ann, 'privateMessage')).at(-1)).toMatchObject({ messageId, replyTo: hidden });
    expect(await bobsOther.socket.broadcast('privateMessage')).toMatchObject({ messageId, replyTo: quote });
    expect(await quotes(talk, ann)).toEqual(thrice(hidden));
    expect(await quotes(talk, bob)).toEqual(thrice(quote));
    // The one that stands in the chat list quotes nothing that can be seen in another way either.
    expect(JSON.stringify([await talk.history(ann), await talk.missed(ann, 0)])).not.toContain('A secret');
  });

  test('sent again is stored once, and answered with the same place', async () => {
    const talk = await Talk.begin(server, 'dialog', [ann, bob]);
    const replyToId = await talk.say(ann, 'Hello');
    const request = { ...talk.name(ann), messageId: randomUUID(), content: 'Again', replyToId };
    const first = await ann.socket.ask('privateMessage', request);
    expect(await ann.socket.ask('privateMessage', request)).toEqual(first);
    expect(await ann.socket.ask('privateMessage', { ...request, replyToId: randomUUID() })).toEqual(first);
    expect(await quotes(talk, bob)).toMatchObject(thrice({ messageId: replyToId }));
  });

  test('to a deleted account names it so', async () => {
    const eve = await newPerson(server, 'Eve');
    const talk = await Talk.begin(server, 'group', [ann, eve]);
    const replyToId = await talk.say(eve, 'Bye');
    await talk.say(ann, 'Farewell', { replyToId });
    await call(server, 'DELETE', '/profile', { token: eve.token });
    const row = (await talk.history(ann)).find(({ content }) => content === 'Farewell');
    expect(row).toMatchObject({ replyTo: { messageId: replyToId, senderName: 'Deleted', content: 'Bye' } });
  });

  test.for(KINDS)('in a %s: need not wait until that one is stored, and everything keeps its order', async (kind) => {
    const eve = await newPerson(server);
    const talk = await Talk.begin(server, kind, [ann, eve]);
    /** Which of the messages before it each one answers, counted back; 0 for none. */
    const steps = fc.array(fc.constantFrom(0, 0, 1, 1, 2, 5, 20), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, async (backs) => {
        const ids = backs.map(() => randomUUID());
        const answered = backs.map((back, index) => (back === 0 ? undefined : ids[index - back]));
        await Promise.all(
          ids.map((messageId, index) => {
            const replyToId = answered[index];
            return talk.say(ann, `${index}`, { messageId, ...(replyToId !== undefined && { replyToId }) });
          }),
        );
        const rows: Row[] = (await talk.history(eve)).slice(0, ids.length).reverse();
        expect(rows.map(({ messageId }) => messageId)).toEqual(ids);
        const quoted = rows.map(({ replyTo }) => replyTo);
        expect(quoted).toEqual(
          answered.map((messageId) =>
            messageId === undefined ? null : { messageId, senderName: 'Ann', content: `${ids.indexOf(messageId)}`, deleted: false },
          ),
        );
      }),
      { numRuns: 12 },
    );
  });
});
