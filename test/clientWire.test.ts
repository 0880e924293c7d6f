import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RequestError } from '../client/index.ts';
import { Application } from './support/application.ts';
import { type Fate, FaultyServer, type StoredConversation } from './support/faultyServer.ts';

const contentsOf = ({ messages }: StoredConversation) => messages.map(({ content }) => content);
const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix} ${index + 1}`);
const failure = (promise: Promise<unknown>): Promise<RequestError> =>
  promise.then(
    () => Promise.reject(new Error('it succeeded')),
    (error) => error,
  );

describe('A client on a faulty wire', () => {
  let server: FaultyServer;
  const applications: Application[] = [];

  beforeEach(async () => {
    server = await new FaultyServer().listen();
  });
  afterEach(async () => {
    for (const { client } of applications.splice(0)) client.close();
    await server.stop();
  });

  const open = (...more: ConstructorParameters<typeof Application> extends [unknown, ...infer More] ? More : never) => {
    const application = new Application(server, ...more);
    applications.push(application);
    return application.online();
  };
  const asked = (type: string) => server.requests.filter((request) => request.type === type);
  const until = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 2 });

  test('begins with what is new: of what was there it is given nothing, of all that comes everything', async () => {
    server.rowLimit = 2;
    const dialogs = names('Dialog', 5).map(() => server.newDialog());
    for (const dialog of dialogs) server.write(dialog, 'Before');
    const application = await open();
    expect(application.messages).toEqual([]);
    for (const dialog of [...dialogs, server.newDialog(), server.newGroup()]) server.write(dialog, 'After');
    await until(() => expect(application.messages.map(({ content }) => content)).toEqual(names('', 7).map(() => 'After')));
    expect(asked('getMissed')).toHaveLength(3);
  });

  test('is not given what came before it had listed the conversations: that is in the pages that it reads then', async () => {
    const dialog = server.newDialog();
    server.refusals.push({ type: 'getMissed', code: 'unavailable' });
    const application = new Application(server, undefined, { firstWait: 50 });
    applications.push(application);
    await until(() => expect(asked('getMissed')).toHaveLength(1));
    server.write(dialog, 'Before');
    await application.online();
    server.write(dialog, 'After');
    await until(() => expect(application.contents(dialog)).toEqual(['After']));
  });

  test('is given what comes of a hidden dialog while the list that does not have it is on its way', async () => {
    const dialog = server.newDialog();
    for (const content of names('Deleted', 3)) server.write(dialog, content);
    dialog.clearedSeq = 3;
    server.refusals.push({ type: 'getMissed', code: 'unavailable' });
    const application = new Application(server, undefined, { firstWait: 50 });
    applications.push(application);
    await until(() => expect(asked('getMissed')).toHaveLength(1));
    server.meanwhile = () => server.write(dialog, 'New');
    await until(() => expect(application.contents(dialog)).toEqual(['New']));
  });

  test('is given a doubled event once', async () => {
    const dialog = server.newDialog();
    const application = await open();
    server.broadcastFates.push('double', 'double');
    for (const content of names('Message', 3)) server.write(dialog, content);
    await until(() => expect(application.contents(dialog)).toEqual(names('Message', 3)));
  });

  test('puts events that overtook one another in order, without asking for them', async () => {
    const dialog = server.newDialog();
    const application = await open(undefined, { gapPatience: 10_000 });
    server.broadcastFates.push('overtake', 'overtake');
    for (const content of names('Message', 3)) server.write(dialog, content);
    await until(() => expect(application.contents(dialog)).toEqual(names('Message', 3)));
    expect(asked('getMissed')).toHaveLength(1);
  });

  test('asks for lost events as soon as a later one shows that they are missing', async () => {
    const dialog = server.newDialog();
    const application = await open();
    server.broadcastFates.push('lose', 'lose', 'deliver', 'lose');
    for (const content of names('Message', 3)) server.write(dialog, content);
    await until(() => expect(application.contents(dialog)).toEqual(names('Message', 3)));
    server.write(dialog, 'Lost');
    expect(application.client.status).toBe('online');
  });

  test('asks for all when the server says that something may have been lost', async () => {
    const [dialog, group] = [server.newDialog(), server.newGroup()];
    const application = await open();
    server.broadcastFates.push('lose', 'lose');
    server.write(dialog, 'Lost');
    server.write(group, 'Lost too');
    server.broadcast('catchUp', {});
    await until(() => expect(application.messages).toHaveLength(2));
    expect(application.told('status')).toEqual(['catchingUp', 'online', 'catchingUp', 'online']);
  });

  test('catches up with more than fits into an answer, while messages keep coming', async () => {
    const [dialog, group] = [server.newDialog(), server.newGroup()];
    const application = await open();
    server.rowLimit = 7;
    server.broadcastFates.push(...names('lose', 40).map((): Fate => 'lose'));
    for (const content of names('Message', 20)) for (const one of [dialog, group]) server.write(one, content);
    server.broadcast('catchUp', {});
    for (const content of names('More', 20)) {
      for (const one of [dialog, group]) server.write(one, content);
      await turn();
    }
    for (const one of [dialog, group]) await until(() => expect(application.contents(one)).toEqual(contentsOf(one)));
  });

  test.each([1006, 1011, 1012, 1013])('comes back soon after it was closed with %i, and is given what it missed', async (code) => {
    const dialog = server.newDialog();
    const application = await open();
    server.cut(code === 1006 ? undefined : code);
    server.write(dialog, 'Missed');
    await until(() => expect(application.contents(dialog)).toEqual(['Missed']));
  });

  test('ends when it is not authorized, tells so, and rejects what was not acknowledged', async () => {
    const dialog = server.newDialog();
    const application = await open();
    server.answerFates.push('lose');
    const sent = failure(application.send(dialog, 'Unanswered'));
    await until(() => expect(asked('privateMessage')).toHaveLength(1));
    server.cut(4001);
    expect(await sent).toMatchObject({ code: 'unauthorized' });
    expect(application.told('unauthorized')).toHaveLength(1);
    expect(application.client.status).toBe('ended');
    expect(await failure(application.send(dialog, 'Later'))).toMatchObject({ code: 'closed' });
    expect(server.connects).toBe(1);
  });

  test('stays away for long when it was closed for abuse', async () => {
    const application = new Application(server, undefined, { firstWait: 1, longestWait: 400 });
    applications.push(application);
    server.closeWith = 1008;
    await until(() => expect(server.connects).toBe(1));
    const begun = Date.now();
    await until(() => expect(server.connects).toBe(2));
    expect(Date.now() - begun).toBeGreaterThan(190);
  });

  test("asks for what it missed only when it receives the messages of the user's other devices", async () => {
    const dialog = server.newDialog();
    server.refusals.push({ type: 'subscribe', code: 'busy' });
    const application = await open();
    server.write(dialog, 'From the laptop', { own: true });
    await until(() => expect(application.contents(dialog)).toEqual(['From the laptop']));
    expect(server.requests.map(({ type }) => type)).toEqual(['subscribe', 'subscribe', 'getMissed']);
  });

  test('sends again what was not answered when the connection ended; it is stored once, and given once', async () => {
    const dialog = server.newDialog();
    const application = await open();
    server.answerFates.push('cut');
    const place = await application.send(dialog, 'Once');
    expect(place).toMatchObject({ seq: 1, rev: 1 });
    await application.online();
    expect(asked('privateMessage')).toHaveLength(2);
    expect(contentsOf(dialog)).toEqual(['Once']);
    await until(() => expect(application.contents(dialog)).toEqual(['Once']));
  });

  test('takes a connection on which an answer does not come for dead, and sends again on another', async () => {
    const dialog = server.newDialog();
    const application = await open(undefined, { answerWithin: 50 });
    server.answerFates.push('lose');
    await application.send(dialog, 'Once');
    expect(server.connects).toBe(2);
    expect(contentsOf(dialog)).toEqual(['Once']);
  });

  test('asks for a sign of life on a silent connection', async () => {
    await open(undefined, { silence: 20 });
    await until(() => expect(asked('subscribe').length).toBeGreaterThan(2));
    expect(server.connects).toBe(1);
  });

  test('sends again what the server refuses for a while, after as long as it says, and keeps the order', async () => {
    const dialog = server.newDialog();
    const application = await open();
    server.refusals.push({ type: 'privateMessage', code: 'busy' }, { type: 'privateMessage', code: 'rate_limited', retryAfter: 1 });
    await Promise.all(names('Message', 3).map((content) => application.send(dialog, content)));
    expect(contentsOf(dialog)).toEqual(names('Message', 3));
    expect(application.contents(dialog)).toEqual(names('Message', 3));
    const [, second, third] = asked('privateMessage');
    expect((third?.at ?? 0) - (second?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test('rejects what the server refuses for good, and goes on with the next', async () => {
    const dialog = server.newDialog();
    const application = await open();
    server.refusals.push({ type: 'privateMessage', code: 'no_such_user' });
    const refused = failure(application.send(dialog, 'Refused'));
    await application.send(dialog, 'Next');
    expect(await refused).toMatchObject({ code: 'no_such_user' });
    expect(contentsOf(dialog)).toEqual(['Next']);
  });

  test('rejects the longest request when a frame was too large, and sends the others again', async () => {
    const [dialog, other] = [server.newDialog(), server.newDialog()];
    const application = await open();
    server.answerFates.push('lose', 'lose');
    const long = failure(application.send(dialog, 'x'.repeat(1_000)));
    const short = application.send(other, 'Short');
    await until(() => expect(asked('privateMessage')).toHaveLength(2));
    server.cut(1009);
    expect(await long).toMatchObject({ code: 'frame_too_large' });
    await short;
  });

  test('goes on from a state that was kept, and is given nothing twice', async () => {
    const [dialog, group] = [server.newDialog(), server.newGroup()];
    server.write(dialog, 'Long before');
    const before = await open();
    server.write(dialog, 'Before');
    await until(() => expect(before.messages).toHaveLength(1));
    before.client.close();
    const state = JSON.parse(JSON.stringify(before.client.state));
    server.write(dialog, 'Between');
    server.write(group, 'Also between');
    const after = await open(state);
    expect([after.contents(dialog), after.contents(group)]).toEqual([['Between'], ['Also between']]);
  });

  test('tells to read anew what it cannot catch up with, and goes on after that', async () => {
    const dialog = server.newDialog();
    const application = await open();
    server.write(dialog, 'Before');
    await until(() => expect(application.messages).toHaveLength(1));
    server.resetAfter = 5;
    server.broadcastFates.push(...names('lose', 6).map((): Fate => 'lose'));
    for (const content of names('Lost', 6)) server.write(dialog, content);
    server.write(dialog, 'The last');
    await until(() => expect(application.told('reset')).toEqual([{ companionId: dialog.companionId, groupId: null, seq: 8, rev: 8 }]));
    server.write(dialog, 'New');
    await until(() => expect(application.contents(dialog)).toEqual(['Before', 'New']));
  });

  test('tells to read anew when the server was restored from a backup, though an event came before it could ask', async () => {
    const dialog = server.newDialog();
    const application = await open();
    for (const content of names('Message', 5)) server.write(dialog, content);
    await until(() => expect(application.messages).toHaveLength(5));
    server.forget(dialog, 3);
    server.refusals.push({ type: 'getMissed', code: 'unavailable' });
    server.cut();
    await until(() => expect(server.connects).toBe(2));
    server.write(dialog, 'New');
    await until(() => expect(application.told('reset')).toEqual([{ companionId: dialog.companionId, groupId: null, seq: 3, rev: 3 }]));
    server.write(dialog, 'Newer');
    await until(() => expect(application.contents(dialog).at(-1)).toBe('Newer'));
  });

  test('forgets with a restored backup up to where a dialog was deleted', async () => {
    const dialog = server.newDialog();
    const application = await open();
    for (const content of names('Message', 5)) server.write(dialog, content);
    dialog.clearedSeq = 5;
    server.broadcast('catchUp', {});
    await until(() => expect(application.told('cleared')).toHaveLength(1));
    server.forget(dialog, 3);
    dialog.clearedSeq = 0;
    server.cut();
    await until(() => expect(application.told('reset')).toHaveLength(1));
    server.write(dialog, 'New');
    await until(() => expect(application.contents(dialog).at(-1)).toBe('New'));
  });

  test('tells once that a group is gone, and goes on where it was when it is back', async () => {
    const group = server.newGroup();
    const application = await open();
    server.write(group, 'Before');
    await until(() => expect(application.messages).toHaveLength(1));
    group.isMember = false;
    server.broadcast('dropGroup', { groupId: group.groupId });
    await until(() => expect(application.told('gone')).toEqual([{ groupId: group.groupId }]));
    server.broadcastFates.push('lose');
    server.write(group, 'Without the user');
    server.broadcast('catchUp', {});
    await until(() => expect(application.told('status')).toHaveLength(4));
    group.isMember = true;
    server.write(group, 'Welcome back');
    await until(() => expect(application.contents(group)).toEqual(['Before', 'Without the user', 'Welcome back']));
    expect(application.told('gone')).toHaveLength(1);
    group.isMember = false;
    server.broadcast('dropGroup', { groupId: group.groupId });
    await until(() => expect(application.told('gone')).toHaveLength(2));
  });

  test('tells once that a dialog was deleted elsewhere, and goes on after what it may not see', async () => {
    const dialog = server.newDialog();
    server.write(dialog, 'Before');
    const application = await open();
    server.broadcastFates.push('lose', 'lose');
    for (const content of names('Deleted', 2)) server.write(dialog, content);
    dialog.clearedSeq = 3;
    server.broadcast('catchUp', {});
    await until(() => expect(application.told('cleared')).toEqual([{ companionId: dialog.companionId, seq: 3 }]));
    for (const content of names('New', 2)) server.write(dialog, content);
    server.broadcast('catchUp', {});
    await until(() => expect(application.told('status')).toHaveLength(6));
    expect(application.contents(dialog)).toEqual(names('New', 2));
    expect(application.told('cleared')).toHaveLength(1);
  });

  test('is not given events of a deleted dialog that come after it was told of the deletion', async () => {
    const dialog = server.newDialog();
    server.write(dialog, 'Before');
    const application = await open();
    server.broadcastFates.push('lose', 'lose');
    const late = names('Deleted', 2).map((content) => server.write(dialog, content));
    dialog.clearedSeq = 3;
    server.broadcast('catchUp', {});
    await until(() => expect(application.told('cleared')).toHaveLength(1));
    for (const message of late) server.tell(dialog, message);
    server.write(dialog, 'New');
    await until(() => expect(application.contents(dialog)).toEqual(['New']));
  });

  test('does not ask again for what it was told of and may not see any more', async () => {
    const dialog = server.newDialog();
    const application = await open(undefined, { gapPatience: 50 });
    server.broadcastFates.push('lose');
    for (const content of names('Deleted', 2)) server.write(dialog, content);
    dialog.clearedSeq = 2;
    await until(() => expect(application.told('cleared')).toHaveLength(1));
    server.write(dialog, 'New');
    await until(() => expect(application.contents(dialog)).toEqual(['New']));
    expect(asked('getMissed')).toHaveLength(2);
  });
});
