import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Message } from '../client/index.ts';
import { eventually } from './support/eventually.ts';
import type { StoredConversation } from './support/faultyServer.ts';
import { faultyWire, names } from './support/faultyWire.ts';
import { type Deed, type Stored, shown } from './support/storedMessage.ts';

const edit = (content: string): Deed => ({ type: 'messageEdited', content });
const DELETED: Deed = { type: 'messageDeleted' };
const reaction = (userId: string, emoji: string, isAdded = true): Deed => ({ type: 'reactionsChanged', userId, emoji, isAdded });

describe('A client whose messages are changed', () => {
  const wire = faultyWire();

  /** The message as it is stored now, in what the client should tell of it. */
  function asStored(conversation: StoredConversation, message: Stored): Partial<Message> {
    const { companionId, groupId, messages } = conversation;
    return { ...shown(message, messages, wire.server.userId), companionId, groupId };
  }

  test('is given the whole message again with each change, and asks for none of them', async () => {
    const [dialog, bob] = [wire.server.newDialog(), randomUUID()];
    const application = await wire.open();
    const first = wire.server.write(dialog, 'First');
    const second = wire.server.write(dialog, 'Second', { own: true, replyToId: first.messageId });
    const expected = [asStored(dialog, first), asStored(dialog, second)];
    const { userId } = wire.server;
    const deeds = [
      reaction(bob, '👍'),
      reaction(userId, '👍'),
      reaction(bob, '🎉'),
      edit('Edited'),
      reaction(userId, '👍', false),
      DELETED,
    ];
    for (const deed of deeds) {
      wire.server.change(dialog, second, deed);
      expected.push(asStored(dialog, second));
    }
    await eventually(() => expect(application.messages).toHaveLength(8));
    expect(application.messages).toMatchObject(expected);
    expect(application.messages[5]).toMatchObject({
      replyTo: { messageId: first.messageId, content: 'First', deleted: false },
      reactions: [
        { emoji: '👍', count: 2, mine: true },
        { emoji: '🎉', count: 1, mine: false },
      ],
      editedAt: expect.any(String),
    });
    expect(application.messages[7]).toMatchObject({ content: '', reactions: [], deletedAt: expect.any(String), senderName: 'Somebody' });
    expect(wire.asked('getMissed')).toHaveLength(1);
  });

  test('asks for a changed message that it was not given before, and no more for its next changes', async () => {
    const group = wire.server.newGroup();
    const old = wire.server.write(group, 'Long before');
    const application = await wire.open();
    wire.server.change(group, old, edit('Edited'));
    await eventually(() => expect(application.messages).toMatchObject([asStored(group, old)]));
    wire.server.change(group, old, reaction(randomUUID(), '👍'));
    await eventually(() => expect(application.messages).toHaveLength(2));
    expect(application.messages[1]).toMatchObject(asStored(group, old));
    expect(wire.asked('getMissed')).toHaveLength(2);
  });

  test('is given changes that are lost, doubled or overtake one another as they are in the end, and none twice', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    const message = wire.server.write(dialog, 'Message');
    wire.server.broadcastFates.push('double', 'overtake', 'deliver', 'lose', 'deliver');
    for (const emoji of ['👍', '🎉', '❤️', '😮', '🙏']) wire.server.change(dialog, message, reaction(randomUUID(), emoji));
    await eventually(() => expect(application.messages.at(-1)).toMatchObject(asStored(dialog, message)));
    expect(application.messages.map(({ rev }) => rev)).toEqual([1, 2, 3, 4, 6]);
  });

  test('is not given a change on top of an older one that a later part of the answer holds', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    const message = wire.server.write(dialog, 'Message');
    await eventually(() => expect(application.messages).toHaveLength(1));
    wire.server.rowLimit = 2;
    wire.server.broadcastFates.push('lose', 'lose', 'deliver', 'deliver');
    wire.server.change(dialog, message, edit('Edited'));
    for (const content of names('More', 2)) wire.server.write(dialog, content);
    wire.server.change(dialog, message, reaction(randomUUID(), '👍'));
    wire.server.meanwhile = () => {
      wire.server.meanwhile = () => wire.server.write(dialog, 'Last');
    };
    await eventually(() => expect(application.contents(dialog).at(-1)).toBe('Last'));
    expect(application.messages.findLast(({ messageId }) => messageId === message.messageId)).toMatchObject(asStored(dialog, message));
  });

  test('is given what it sent as it is now, when it was acknowledged late and changed before', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open(undefined, { answerWithin: 50 });
    wire.server.answerFates.push('lose');
    const sent = application.send(dialog, 'Mine');
    await eventually(() => expect(dialog.messages).toHaveLength(1));
    for (const _ of names('refusal', 4)) wire.server.refusals.push({ type: 'privateMessage', code: 'busy' });
    await eventually(() => expect(application.contents(dialog)).toEqual(['Mine']));
    wire.server.broadcastFates.push('lose');
    const [mine] = dialog.messages;
    if (mine) wire.server.change(dialog, mine, edit('Edited elsewhere'));
    expect(await sent).toMatchObject({ seq: 1, rev: 2 });
    await eventually(() => expect(application.contents(dialog)).toEqual(['Mine', 'Edited elsewhere']));
  });

  test('is given what it changes itself, though the answer came late and the message was changed again meanwhile', async () => {
    const dialog = wire.server.newDialog();
    const receiverId = dialog.companionId ?? '';
    const application = await wire.open();
    const { messageId } = wire.server.write(dialog, 'Mine', { own: true });
    const [mine] = dialog.messages;
    await application.client.request('editMessage', { receiverId: receiverId.toUpperCase(), messageId, content: 'Edited' });
    await eventually(() => expect(application.contents(dialog)).toEqual(['Mine', 'Edited']));
    wire.server.meanwhile = () => mine && wire.server.change(dialog, mine, reaction(receiverId, '👍'));
    await application.client.request('editMessage', { receiverId, messageId, content: 'Edited again' });
    await eventually(() => expect(application.messages.at(-1)).toMatchObject(mine ? asStored(dialog, mine) : {}));
    await application.client.request('addReaction', { receiverId, messageId, emoji: '👍' });
    await eventually(() => expect(application.messages.at(-1)?.reactions).toEqual([{ emoji: '👍', count: 2, mine: true }]));
    await application.client.request('deleteMessage', { receiverId, messageId });
    await eventually(() =>
      expect(application.messages.at(-1)).toMatchObject({ content: '', deletedAt: expect.any(String), reactions: [] }),
    );
  });

  test('is given its own answer to a message with what it answers', async () => {
    const dialog = wire.server.newDialog();
    const application = await wire.open();
    const question = wire.server.write(dialog, 'Question');
    await application.send(dialog, 'Answer', { replyToId: question.messageId.toUpperCase() });
    await eventually(() => expect(application.contents(dialog)).toEqual(['Question', 'Answer']));
    expect(application.messages[1]?.replyTo).toMatchObject({ messageId: question.messageId, content: 'Question' });
  });

  test('passes on who reads and types, and what becomes of groups and their members', async () => {
    const [application, address, userId] = [await wire.open(), { companionId: null, groupId: randomUUID() }, randomUUID()];
    const told = {
      messageRead: { readerId: userId, messageId: randomUUID(), seq: 1, readAt: new Date().toISOString() },
      userTyping: { userId, isTyping: true },
      groupUpdated: { groupName: 'Friends', description: null, updatedBy: userId },
      memberRemoved: { userId, removedBy: randomUUID() },
      roleChanged: { userId, role: 'admin', changedBy: randomUUID() },
    };
    for (const [name, item] of Object.entries(told)) wire.server.broadcast(name, { ...address, ...item });
    await eventually(() => expect(application.told('roleChanged')).toHaveLength(1));
    for (const name of ['messageRead', 'userTyping', 'groupUpdated', 'memberRemoved', 'roleChanged'] as const) {
      expect(application.told(name)).toEqual([{ ...address, ...told[name] }]);
      expect(wire.asked('subscribe')[0]?.params.events).toContain(name);
    }
  });
});
