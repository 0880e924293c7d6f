import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventually } from './support/eventually.ts';
import type { Fate, StoredConversation } from './support/faultyServer.ts';
import { faultyWire, names } from './support/faultyWire.ts';

const contentsOf = ({ messages }: StoredConversation) => messages.map(({ content }) => content);

describe('A client on a faulty wire', () => {
  const wire = faultyWire();
  afterEach(() => vi.restoreAllMocks());

  test('begins with what is new: of what was there it is given nothing, of all that comes everything', async () => {
    wire.server.rowLimit = 2;
    const dialogs = names('Dialog', 5).map(() => wire.server.newDialog());
    for (const dialog of dialogs) wire.server.write(dialog, 'Before');
    const application = await wire.open();
    expect(application.messages).toEqual([]);
    for (const dialog of [...dialogs, wire.server.newDialog(), wire.server.newGroup()]) wire.server.write(dialog, 'After');
    await eventually(() => expect(application.messages.map(({ content }) => content)).toEqual(names('', 7).map(() => 'After')));
    expect(wire.asked('getMissed')).toHaveLength(3);
  });

  test('is not given what came before it had listed the conversations: that is in the pages that it reads then', async () => {
    const dialog = wire.server.newDialog();
    wire.server.refusals.push({ type: 'getMissed', code: 'unavailable', before: () => wire.server.write(dialog, 'Before') });
    const application = wire.begin();
    await application.online();
    wire.server.write(dialog, 'After');
    await eventually(() => expect(application.contents(dialog)).toEqual(['After']));
  });

  test('is given what comes of a hidden dialog while the list that does not have it is on its way', async () => {
    const dialog = wire.server.newDialog();
    for (const content of names('Deleted', 3)) wire.server.write(dialog, content);
    dialog.clearedSeq = 3;
    const writeMeanwhile = () => {
      wire.server.meanwhile = () => wire.server.write(dialog, 'New');
    };
    wire.server.refusals.push({ type: 'getMissed', code: 'unavailable', before: writeMeanwhile });
    const application = wire.begin();
    await eventually(() => expect(application.contents(dialog)).toEqual(['New']));
  });

  test('is given what it sends itself, though it began to before it was online', async () => {
    const dialog = wire.server.newDialog();
    wire.server.write(dialog, 'Before');
    const application = wire.begin();
    await application.send(dialog, 'Mine');
    expect(application.contents(dialog)).toEqual(['Mine']);
  });

  test('is given a doubled event once', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.broadcastFates.push('double', 'double');
    for (const content of names('Message', 3)) wire.server.write(dialog, content);
    await eventually(() => expect(application.contents(dialog)).toEqual(names('Message', 3)));
  });

  test('keeps nothing of doubled events, however many there are', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open(undefined, { gapPatience: 10_000 });
    const first = wire.server.write(dialog, 'Message 1');
    for (const content of names('Message', 1_100).slice(1)) {
      wire.server.broadcastFates.push('double');
      wire.server.write(dialog, content);
    }
    wire.server.tell(dialog, first);
    await eventually(() => expect(application.contents(dialog)).toEqual(names('Message', 1_100)));
    expect(wire.asked('getMissed')).toHaveLength(1);
  });

  test('puts events that overtook one another in order, without asking for them', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open(undefined, { gapPatience: 10_000 });
    wire.server.broadcastFates.push('overtake', 'overtake');
    for (const content of names('Message', 3)) wire.server.write(dialog, content);
    await eventually(() => expect(application.contents(dialog)).toEqual(names('Message', 3)));
    expect(wire.asked('getMissed')).toHaveLength(1);
  });

  test('asks for lost events as soon as a later one shows that they are missing', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.broadcastFates.push('lose', 'lose', 'deliver', 'lose');
    for (const content of names('Message', 3)) wire.server.write(dialog, content);
    await eventually(() => expect(application.contents(dialog)).toEqual(names('Message', 3)));
    wire.server.write(dialog, 'Lost');
    expect(application.client.status).toBe('online');
  });

  test('asks once more for lost events when the server refuses to tell for a while', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.refusals.push({ type: 'getMissed', code: 'unavailable' });
    wire.server.broadcastFates.push('lose');
    for (const content of names('Message', 2)) wire.server.write(dialog, content);
    await eventually(() => expect(application.contents(dialog)).toEqual(names('Message', 2)));
    expect(application.told('error')).toEqual([]);
  });

  test('asks for all when the server says that something may have been lost, and stays online', async () => {
    const [dialog, group] = [wire.server.newDialog(), wire.server.newGroup()];
    const application = await wire.open();
    wire.server.broadcastFates.push('lose', 'lose');
    wire.server.write(dialog, 'Lost');
    wire.server.write(group, 'Lost too');
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(application.messages).toHaveLength(2));
    expect(application.told('status')).toEqual(['catchingUp', 'online']);
  });

  test('waits a random part of a while before it asks for all, and asks once though it is told several times', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const dialog = wire.server.newDialog();
    const application = await wire.open(undefined, { catchUpSpread: 200 });
    const begun = Date.now();
    wire.server.broadcastFates.push('deliver', 'deliver', 'lose');
    for (const content of names('Message', 3)) {
      wire.server.write(dialog, content);
      wire.server.broadcast('catchUp', {});
    }
    await eventually(() => expect(application.contents(dialog)).toEqual(names('Message', 3)));
    const [, question, ...more] = wire.asked('getMissed');
    expect((question?.at ?? 0) - begun).toBeGreaterThan(90);
    expect(more).toEqual([]);
  });

  test('catches up with more than fits into an answer, while messages keep coming', async () => {
    const [dialog, group] = [wire.server.newDialog(), wire.server.newGroup()];
    const application = await wire.open();
    wire.server.rowLimit = 7;
    wire.server.broadcastFates.push(...names('lose', 40).map((): Fate => 'lose'));
    for (const content of names('Message', 20)) for (const one of [dialog, group]) wire.server.write(one, content);
    wire.server.broadcast('catchUp', {});
    for (const content of names('More', 20)) {
      for (const one of [dialog, group]) wire.server.write(one, content);
      await turn();
    }
    for (const one of [dialog, group]) await eventually(() => expect(application.contents(one)).toEqual(contentsOf(one)));
  });

  test("asks for what it missed only when it receives the messages of the user's other devices", async () => {
    const dialog = wire.server.newDialog();
    wire.server.refusals.push({ type: 'subscribe', code: 'busy' });
    const application = await wire.open();
    wire.server.write(dialog, 'From the laptop', { own: true });
    await eventually(() => expect(application.contents(dialog)).toEqual(['From the laptop']));
    expect(wire.server.requests.map(({ type }) => type)).toEqual(['subscribe', 'subscribe', 'getMissed']);
  });
});
