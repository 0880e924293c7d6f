import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { faultyWire } from './support/faultyWire.ts';

const refusal = (index: number) => ({
  type: 'watchPresence',
  code: 'no_shared_chat',
  issues: [{ path: `userIds.${index}`, message: 'shares no chat with you' }],
});

describe('A client that watches the presence of others', () => {
  const wire = faultyWire();
  const watched = () => wire.asked('watchPresence').map(({ params }) => params.userIds);

  test('leaves out, from the next connection on, with whom no chat is shared any more, and tells of it once', async () => {
    const [one, former, other] = [randomUUID(), randomUUID(), randomUUID()];
    const application = await wire.open();
    await application.client.watchPresence([one, former, other]);
    wire.server.refusals.push(refusal(1));
    for (const connections of [2, 3]) {
      wire.server.cut();
      await eventually(() => expect(watched()).toHaveLength(connections + 1));
    }
    expect(watched()).toEqual([
      [one, former, other],
      [one, former, other],
      [one, other],
      [one, other],
    ]);
    expect(application.told('error')).toMatchObject([{ code: 'no_shared_chat', message: expect.stringContaining(former) }]);
  });

  test('does not ask again when nobody is left to be watched', async () => {
    const former = randomUUID();
    const application = wire.begin();
    await application.client.watchPresence([former]);
    wire.server.refusals.push(refusal(0));
    await eventually(() => expect(application.told('error')).toHaveLength(1));
    wire.server.cut();
    await eventually(() => expect(wire.server.connects).toBe(2));
    await application.online();
    expect(watched()).toEqual([[former]]);
  });

  test('goes on watching whom it watched before a call that names somebody else as well is refused', async () => {
    const [known, stranger] = [randomUUID(), randomUUID()];
    const application = await wire.open();
    await application.client.watchPresence([known]);
    wire.server.refusals.push(refusal(1));
    await expect(application.client.watchPresence([known, stranger])).rejects.toMatchObject({ code: 'no_shared_chat' });
    wire.server.cut();
    await eventually(() => expect(watched()).toEqual([[known], [known, stranger], [known]]));
  });

  test('ends watching however many at once, and asks nothing for none', async () => {
    const userIds = Array.from({ length: 450 }, () => randomUUID());
    const application = await wire.open();
    await application.client.watchPresence(userIds);
    await application.client.unwatchPresence(userIds);
    await application.client.unwatchPresence([]);
    const ended = wire.asked('unwatchPresence').map(({ params }) => params.userIds);
    expect(ended).toEqual([userIds.slice(0, 200), userIds.slice(200, 400), userIds.slice(400)]);
  });
});
