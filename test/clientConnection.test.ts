import { describe, expect, test } from 'vitest';
import type { RequestError } from '../client/index.ts';
import { eventually } from './support/eventually.ts';
import type { StoredConversation } from './support/faultyServer.ts';
import { faultyWire, names } from './support/faultyWire.ts';

const LISTED = { limit: 20, cursorCreatedAt: null };
const contentsOf = ({ messages }: StoredConversation) => messages.map(({ content }) => content);
const failure = (promise: Promise<unknown>): Promise<RequestError> =>
  promise.then(
    () => Promise.reject(new Error('it succeeded')),
    (error) => error,
  );

describe('A client whose connection is lost, or whose requests are refused,', () => {
  const wire = faultyWire();

  test.each([1006, 1011, 1012, 1013])('comes back soon after it was closed with %i, and is given what it missed', async (code) => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.cut(code === 1006 ? undefined : code);
    wire.server.write(dialog, 'Missed');
    await eventually(() => expect(application.contents(dialog)).toEqual(['Missed']));
  });

  test('ends when it is not authorized, tells so, and rejects what was not acknowledged', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.answerFates.push('lose');
    const sent = failure(application.send(dialog, 'Unanswered'));
    await eventually(() => expect(wire.asked('privateMessage')).toHaveLength(1));
    const asked = failure(application.client.request('listLastMessage', LISTED));
    wire.server.cut(4001);
    expect(await sent).toMatchObject({ code: 'unauthorized' });
    expect(await asked).toMatchObject({ code: 'unauthorized' });
    expect(application.told('unauthorized')).toHaveLength(1);
    expect(application.client.status).toBe('ended');
    expect(await failure(application.send(dialog, 'Later'))).toMatchObject({ code: 'closed' });
    expect(await failure(application.client.request('listLastMessage', LISTED))).toMatchObject({ code: 'closed' });
    expect(application.told('disconnected')).toEqual([]);
    expect(wire.server.connects).toBe(1);
  });

  test('rejects whatever was or is asked of it with "closed" when it is closed', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    const ask = () => [application.send(dialog, 'Hello'), application.client.request('listLastMessage', LISTED)].map(failure);
    const before = ask();
    application.client.close();
    for (const error of await Promise.all([...before, ...ask()])) expect(error).toMatchObject({ code: 'closed' });
  });

  test('tells why it has no connection, and goes on', async () => {
    wire.server.closeWith = 1008;
    const application = wire.begin();
    await eventually(() => expect(application.told('disconnected')).toContainEqual({ code: 1008, reason: 'Refused' }));
    wire.server.closeWith = undefined;
    await application.online();
    wire.server.cut();
    await eventually(() => expect(application.told('disconnected').at(-1)).toEqual({ code: 1006, reason: '' }));
    await application.online();
  });

  test('connects at once when the application wants it to', async () => {
    const application = await wire.open(undefined, { firstWait: 1_000_000, longestWait: 1_000_000 });
    wire.server.cut();
    await eventually(() => expect(application.told('disconnected')).toHaveLength(1));
    application.client.connectNow();
    await application.online();
    // A sign of life is all that it wants of a connection that is there.
    const asked = wire.asked('subscribe').length;
    application.client.connectNow();
    await eventually(() => expect(wire.asked('subscribe')).toHaveLength(asked + 1));
    expect(wire.server.connects).toBe(2);
  });

  test('leaves a dead connection soon when its user is back', async () => {
    const application = await wire.open(undefined, { answerWithin: 1_000_000, signOfLifeWithin: 50 });
    wire.server.answerFates.push('lose');
    application.client.connectNow();
    await eventually(() => expect(application.told('disconnected')).toHaveLength(1));
    await application.online();
    expect(wire.server.connects).toBe(2);
  });

  test('stays away for long when it was closed for abuse', async () => {
    const begun = Date.now();
    wire.begin(undefined, { firstWait: 1, longestWait: 400 });
    wire.server.closeWith = 1008;
    await eventually(() => expect(wire.server.connects).toBeGreaterThan(1));
    expect(Date.now() - begun).toBeGreaterThan(190);
  });

  test('sends again what was not answered when the connection ended; it is stored once, and given once', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.answerFates.push('cut');
    const place = await application.send(dialog, 'Once');
    expect(place).toMatchObject({ seq: 1, rev: 1 });
    await application.online();
    expect(wire.asked('privateMessage')).toHaveLength(2);
    expect(contentsOf(dialog)).toEqual(['Once']);
    await eventually(() => expect(application.contents(dialog)).toEqual(['Once']));
  });

  test('takes a connection on which an answer does not come for dead, and sends again on another', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open(undefined, { answerWithin: 4_000 });
    wire.server.answerFates.push('lose');
    await application.send(dialog, 'Once');
    expect(wire.server.connects).toBe(2);
    expect(contentsOf(dialog)).toEqual(['Once']);
  });

  test('asks for a sign of life on a silent connection', async () => {
    await wire.open(undefined, { silence: 20 });
    await eventually(() => expect(wire.asked('subscribe').length).toBeGreaterThan(2));
    expect(wire.server.connects).toBe(1);
  });

  test('sends again what the server refuses for a while, after as long as it says, and keeps the order', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.refusals.push({ type: 'privateMessage', code: 'busy' }, { type: 'privateMessage', code: 'rate_limited', retryAfter: 1 });
    await Promise.all(names('Message', 3).map((content) => application.send(dialog, content)));
    expect(contentsOf(dialog)).toEqual(names('Message', 3));
    expect(application.contents(dialog)).toEqual(names('Message', 3));
    const [, second, third] = wire.asked('privateMessage');
    expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('rejects what the server refuses for good, and goes on with the next', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.refusals.push({ type: 'privateMessage', code: 'no_such_user' });
    const refused = failure(application.send(dialog, 'Refused'));
    await application.send(dialog, 'Next');
    expect(await refused).toMatchObject({ code: 'no_such_user' });
    expect(contentsOf(dialog)).toEqual(['Next']);
  });

  test('rejects the longest request when a frame was too large, and sends the others again', async () => {
    const [dialog, other] = [wire.server.newDialog(), wire.server.newDialog()];
    const application = await wire.open();
    wire.server.answerFates.push('lose', 'lose');
    const long = failure(application.send(dialog, 'x'.repeat(1_000)));
    const short = application.send(other, 'Short');
    await eventually(() => expect(wire.asked('privateMessage')).toHaveLength(2));
    wire.server.cut(1009);
    expect(await long).toMatchObject({ code: 'frame_too_large' });
    await short;
  });
});
