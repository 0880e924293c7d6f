import { describe, expect, test } from 'vitest';
import type { Application } from './support/application.ts';
import { eventually } from './support/eventually.ts';
import type { Fate } from './support/faultyServer.ts';
import { faultyWire, names } from './support/faultyWire.ts';

describe('A client whose conversations are not what they were', () => {
  const wire = faultyWire();

  /** Makes an application ask for what it missed, and waits until it has it. */
  async function catchUp({ client }: Application): Promise<void> {
    const before = wire.asked('getMissed').length;
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(wire.asked('getMissed').length).toBeGreaterThan(before));
    // Answered after it.
    await client.request('listLastMessage', { limit: 1, cursorCreatedAt: null });
  }

  test('goes on from a state that was kept, and is given nothing twice', async () => {
    const [dialog, group] = [wire.server.newDialog(), wire.server.newGroup()];
    wire.server.write(dialog, 'Long before');
    const before = await wire.open();
    wire.server.write(dialog, 'Before');
    await eventually(() => expect(before.messages).toHaveLength(1));
    before.client.close();
    const state = JSON.parse(JSON.stringify(before.client.state));
    wire.server.write(dialog, 'Between');
    wire.server.write(group, 'Also between');
    const after = await wire.open(state);
    expect([after.contents(dialog), after.contents(group)]).toEqual([['Between'], ['Also between']]);
  });

  test('passes over the state of another user, and begins with what is new', async () => {
    const dialog = wire.server.newDialog();
    for (const content of names('Before', 3)) wire.server.write(dialog, content);
    const { companionId, groupId } = dialog;
    const position = { companionId, groupId, rev: 1, seq: 1, isGone: false };
    const application = await wire.open({ userId: 'another', changedSince: new Date().toISOString(), positions: [position] });
    wire.server.write(dialog, 'New');
    await eventually(() => expect(application.contents(dialog)).toEqual(['New']));
    expect(application.client.state.userId).toBe(wire.server.userId);
  });

  test('tells nothing after it was closed, in the midst of an answer too, and its state says so', async () => {
    const dialog = wire.server.newDialog();
    const before = await wire.open();
    wire.server.broadcastFates.push('lose', 'lose', 'lose');
    for (const content of names('Message', 3)) wire.server.write(dialog, content);
    before.client.on('message', () => before.client.close());
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(before.client.status).toBe('ended'));
    const after = await wire.open(before.client.state);
    expect(before.contents(dialog)).toEqual(['Message 1']);
    expect(after.contents(dialog)).toEqual(['Message 2', 'Message 3']);
  });

  test('tells to read anew what it cannot catch up with, and goes on after that', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.write(dialog, 'Before');
    await eventually(() => expect(application.messages).toHaveLength(1));
    wire.server.resetAfter = 5;
    wire.server.broadcastFates.push(...names('lose', 6).map((): Fate => 'lose'));
    for (const content of names('Lost', 6)) wire.server.write(dialog, content);
    wire.server.write(dialog, 'The last');
    await eventually(() => expect(application.told('reset')).toEqual([{ companionId: dialog.companionId, groupId: null, seq: 8, rev: 8 }]));
    wire.server.write(dialog, 'New');
    await eventually(() => expect(application.contents(dialog)).toEqual(['Before', 'New']));
  });

  test('tells to read anew when the server was restored from a backup, though an event came before it could ask', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    for (const content of names('Message', 5)) wire.server.write(dialog, content);
    await eventually(() => expect(application.messages).toHaveLength(5));
    wire.server.forget(dialog, 3);
    wire.server.refusals.push({ type: 'getMissed', code: 'unavailable', before: () => wire.server.write(dialog, 'New') });
    wire.server.cut();
    await eventually(() => expect(application.told('reset')).toEqual([{ companionId: dialog.companionId, groupId: null, seq: 3, rev: 3 }]));
    wire.server.write(dialog, 'Newer');
    await eventually(() => expect(application.contents(dialog).at(-1)).toBe('Newer'));
  });

  test('goes on after a backup that was restored while it was connected', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    for (const content of names('Message', 5)) wire.server.write(dialog, content);
    await eventually(() => expect(application.messages).toHaveLength(5));
    wire.server.forget(dialog, 3);
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(application.told('reset')).toEqual([{ companionId: dialog.companionId, groupId: null, seq: 2, rev: 2 }]));
    for (const content of names('New', 2)) wire.server.write(dialog, content);
    await eventually(() => expect(application.contents(dialog).slice(5)).toEqual(['New 1', 'New 2']));
    await catchUp(application);
    expect(application.contents(dialog).slice(5)).toEqual(['New 1', 'New 2']);
    expect(application.told('reset')).toHaveLength(1);
  });

  test('is given what was written after a backup was restored, though it came before the answer that tells of the backup', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    for (const content of names('Message', 5)) wire.server.write(dialog, content);
    await eventually(() => expect(application.messages).toHaveLength(5));
    wire.server.forget(dialog, 3);
    wire.server.meanwhile = () => wire.server.write(dialog, 'New');
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(application.contents(dialog).slice(5)).toEqual(['New']));
    expect(application.told('reset')).toHaveLength(1);
  });

  test('is not given what it held back when the server was restored to before that', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.write(dialog, 'Message');
    await eventually(() => expect(application.messages).toHaveLength(1));
    wire.server.broadcastFates.push('lose');
    for (const content of names('Forgotten', 2)) wire.server.write(dialog, content);
    wire.server.forget(dialog, 3);
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(application.told('reset')).toHaveLength(1));
    for (const content of names('New', 3)) wire.server.write(dialog, content);
    await eventually(() => expect(application.contents(dialog)).toEqual(['Message', 'New 1', 'New 2', 'New 3']));
  });

  test('forgets with a restored backup up to where a dialog was deleted', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    for (const content of names('Message', 5)) wire.server.write(dialog, content);
    dialog.clearedSeq = 5;
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(application.told('cleared')).toHaveLength(1));
    wire.server.forget(dialog, 3);
    dialog.clearedSeq = 0;
    wire.server.cut();
    await eventually(() => expect(application.told('reset')).toHaveLength(1));
    wire.server.write(dialog, 'New');
    await eventually(() => expect(application.contents(dialog).at(-1)).toBe('New'));
  });

  test('tells once that a group is gone, and goes on where it was when it is back', async () => {
    const group = wire.server.newGroup();
    const application = await wire.open();
    wire.server.write(group, 'Before');
    await eventually(() => expect(application.messages).toHaveLength(1));
    group.isMember = false;
    wire.server.broadcast('dropGroup', { groupId: group.groupId });
    await eventually(() => expect(application.told('gone')).toEqual([{ groupId: group.groupId }]));
    wire.server.broadcastFates.push('lose');
    wire.server.write(group, 'Without the user');
    await catchUp(application);
    group.isMember = true;
    wire.server.write(group, 'Welcome back');
    await eventually(() => expect(application.contents(group)).toEqual(['Before', 'Without the user', 'Welcome back']));
    expect(application.told('gone')).toHaveLength(1);
    group.isMember = false;
    wire.server.broadcast('dropGroup', { groupId: group.groupId });
    await eventually(() => expect(application.told('gone')).toHaveLength(2));
  });

  test('tells once that a dialog was deleted elsewhere, and goes on after what it may not see', async () => {
    const dialog = wire.server.newDialog();
    wire.server.write(dialog, 'Before');
    const application = await wire.open();
    wire.server.broadcastFates.push('lose', 'lose');
    for (const content of names('Deleted', 2)) wire.server.write(dialog, content);
    dialog.clearedSeq = 3;
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(application.told('cleared')).toEqual([{ companionId: dialog.companionId, seq: 3 }]));
    for (const content of names('New', 2)) wire.server.write(dialog, content);
    await catchUp(application);
    expect(application.contents(dialog)).toEqual(names('New', 2));
    expect(application.told('cleared')).toHaveLength(1);
  });

  test('is not given events of a deleted dialog that come after it was told of the deletion', async () => {
    const dialog = wire.server.newDialog();
    wire.server.write(dialog, 'Before');
    const application = await wire.open();
    wire.server.broadcastFates.push('lose', 'lose');
    const late = names('Deleted', 2).map((content) => wire.server.write(dialog, content));
    dialog.clearedSeq = 3;
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(application.told('cleared')).toHaveLength(1));
    for (const message of late) wire.server.tell(dialog, message);
    wire.server.write(dialog, 'New');
    await eventually(() => expect(application.contents(dialog)).toEqual(['New']));
  });

  test('is given messages that changed as they are now, though a whole answer has none of them', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    wire.server.rowLimit = 2;
    wire.server.broadcastFates.push('lose', 'lose', 'lose', 'lose', 'lose');
    const [first, second] = names('Message', 3).map((content) => wire.server.write(dialog, content));
    for (const message of [first, second]) {
      if (message) wire.server.change(dialog, message, { type: 'messageEdited', content: `${message.content}, edited` });
    }
    wire.server.broadcast('catchUp', {});
    await eventually(() => expect(application.contents(dialog)).toEqual(['Message 3', 'Message 1, edited', 'Message 2, edited']));
  });

  test('does not ask again for what it was told of and may not see any more', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open(undefined, { gapPatience: 50 });
    wire.server.broadcastFates.push('lose');
    for (const content of names('Deleted', 2)) wire.server.write(dialog, content);
    dialog.clearedSeq = 2;
    await eventually(() => expect(application.told('cleared')).toHaveLength(1));
    wire.server.write(dialog, 'New');
    await eventually(() => expect(application.contents(dialog)).toEqual(['New']));
    expect(wire.asked('getMissed')).toHaveLength(2);
  });
});
