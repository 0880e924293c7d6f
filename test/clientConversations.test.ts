import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Application } from './support/application.ts';
import { eventually } from './support/eventually.ts';
import { newUser, type TestUser } from './support/http.ts';
import { startServer, type TestServer } from './support/server.ts';

describe('A client in conversations that are alive', () => {
  let server: TestServer;
  let ann: TestUser;
  let bob: TestUser;
  const applications: Application[] = [];

  beforeAll(async () => {
    server = await startServer();
    [ann, bob] = [await newUser(server, 'Ann'), await newUser(server, 'Bob')];
  });
  afterEach(() => {
    for (const { client } of applications.splice(0)) client.close();
  });
  afterAll(() => server.app.stop());

  function open({ id: userId, token }: TestUser): Promise<Application> {
    const application = new Application({ url: `${server.url.replace('http', 'ws')}/api/ws`, userId, token });
    applications.push(application);
    return application.online();
  }
  const dialogWith = ({ id }: TestUser) => ({ companionId: id, groupId: null });

  test('gives all devices of both users the same, whoever answers, edits, reacts and deletes', async () => {
    const [phone, laptop, other] = await Promise.all([open(ann), open(ann), open(bob)]);
    const [messageId, answerId] = [randomUUID(), randomUUID()];
    await phone.send(dialogWith(bob), 'Hello', { messageId });
    await eventually(() => expect(other.messages).toHaveLength(1));
    await other.send(dialogWith(ann), 'Hello yourself', { messageId: answerId, replyToId: messageId });
    await phone.client.request('editMessage', { receiverId: bob.id, messageId, content: 'Hello, Bob' });
    await other.client.request('addReaction', { receiverId: ann.id, messageId, emoji: '👍' });
    await laptop.client.request('addReaction', { receiverId: bob.id, messageId, emoji: '👍' });
    await other.client.request('deleteMessage', { receiverId: ann.id, messageId: answerId });
    for (const { messages } of [phone, laptop, other]) {
      const last = (id: string) => messages.findLast((message) => message.messageId === id);
      await eventually(() => expect(last(answerId)).toMatchObject({ content: '', deletedAt: expect.any(String), seq: 2, rev: 6 }));
      expect(last(answerId)?.replyTo).toMatchObject({
        messageId,
        senderName: 'Ann',
        content: expect.stringContaining('Hello'),
        deleted: false,
      });
      const reactions = [{ emoji: '👍', count: 2, mine: true }];
      expect(last(messageId)).toMatchObject({ content: 'Hello, Bob', editedAt: expect.any(String), reactions, seq: 1, rev: 5 });
      const revs = messages.map(({ rev }) => rev);
      expect(revs).toEqual([...new Set(revs)].sort((one, other) => one - other));
    }
  });

  test('tells who reads and types, and what becomes of a group and its members', async () => {
    const [owner, member, device] = await Promise.all([open(ann), open(bob), open(bob)]);
    const created = await owner.client.request('newGroup', { groupName: 'Friends', userIds: [bob.id] });
    const groupId = created.item.groupId;
    const address = { companionId: null, groupId };
    await eventually(() => expect(member.contents(address)).toHaveLength(1));
    const last = member.messages.at(-1);
    await member.client.request('startTyping', { groupId });
    await member.client.request('markRead', { groupId, messageId: last?.messageId ?? '' });
    await owner.client.request('updateGroup', { groupId, description: 'Old friends' });
    await owner.client.request('setGroupRole', { groupId, userId: bob.id, role: 'admin' });
    await eventually(() => expect(owner.told('userTyping')).toEqual([{ ...address, userId: bob.id, isTyping: true }]));
    await eventually(() => expect(owner.told('messageRead')).toMatchObject([{ ...address, readerId: bob.id, messageId: last?.messageId }]));
    const updated = { ...address, groupName: 'Friends', description: 'Old friends', updatedBy: ann.id };
    const promoted = { ...address, userId: bob.id, role: 'admin', changedBy: ann.id };
    for (const one of [member, device]) {
      await eventually(() => expect(one.told('groupUpdated')).toEqual([updated]));
      await eventually(() => expect(one.told('roleChanged')).toEqual([promoted]));
    }
    await owner.client.request('removeUserFromGroup', { groupId, userId: bob.id, messageId: randomUUID(), message: 'removed Bob' });
    for (const one of [member, device]) await eventually(() => expect(one.told('gone')).toEqual([{ groupId }]));
    await eventually(() => expect(owner.contents(address).at(-1)).toBe('removed Bob'));
    expect(owner.contents(address)).toHaveLength(2);
  });
});
