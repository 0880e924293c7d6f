import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { post } from '../accounts.ts';
import { type Account, ask, connectAll } from '../client.ts';
import { duel, type Side } from '../duel.ts';
import { exchange, type Lane } from '../exchange.ts';
import type { Findings } from '../figures.ts';
import type { Sample } from '../samples.ts';
import type { Stage, Target } from '../stage.ts';

const MEMBERS = 300;
const MEMBERS_QUICK = 30;
const SENDERS = 10;
/** Messages of each sender on their way: enough that nobody waits for work, few enough that nothing piles up. */
const IN_FLIGHT = 2;

/** A group whose members are all online: each message goes to every member but its sender. */
export async function group(stage: Stage): Promise<Findings> {
  const members = stage.options.quick ? MEMBERS_QUICK : MEMBERS;
  const scenario = `group of ${members}, ${SENDERS} senders`;
  stage.say(`gathering a ${scenario}`);
  const server = await gather(await stage.server(), members, found);
  const relay = await gather(await stage.relay(), members, async () => randomUUID());
  stage.say(scenario);
  const [ours, floor] = await duel(stage.options.seconds, server, relay);
  const deliveries = members - 1;
  return {
    figures: [
      {
        ...ours,
        scenario,
        unit: 'deliveries/s',
        value: ours.perSecond * deliveries,
        floor: floor.perSecond * deliveries,
        required: { atLeast: 1 },
      },
    ],
    lines: [],
  };
}

/** Connects the members, with `makeGroup` to put them into a group. */
async function gather(target: Target, count: number, makeGroup: (url: string, members: Account[]) => Promise<string>): Promise<Side> {
  const members = await target.accounts(count);
  const groupId = await makeGroup(target.url, members);
  const sockets = await connectAll(target.url, members);
  const receiver = sockets.at(-1);
  if (!receiver) throw new Error('a group needs members');
  const lanes = sockets.slice(0, SENDERS).map((sender): Lane => ({ sender, receiver, type: 'messageInGroup', to: { groupId } }));
  return { target, load: (seconds) => deliver(lanes, sockets.slice(SENDERS, -1), sockets.length, seconds) };
}

/** Makes a group of the first member, who adds the others. */
async function found(url: string, [owner, ...others]: Account[]): Promise<string> {
  if (!owner) throw new Error('a group needs members');
  const groupId = randomUUID();
  const body = { groupId, groupName: 'Bench', notificationMessage: 'made', messageId: randomUUID() };
  await post(`${url}/api/groups`, body, owner.token);
  const [socket] = await connectAll(url, [owner]);
  for (const { id } of others) {
    if (socket) await ask(socket, 'addUserInGroup', { groupId, userId: id, messageId: randomUUID(), message: 'added' });
  }
  socket?.terminate();
  return groupId;
}

/** Sends, and sees to it that every member received every message. Those who only receive count frames and read none. */
async function deliver(lanes: Lane[], listeners: WebSocket[], members: number, seconds: number): Promise<Sample> {
  let received = 0;
  let expected = Number.POSITIVE_INFINITY;
  let complete = () => {};
  const onMessage = () => {
    if (++received === expected) complete();
  };
  for (const listener of listeners) listener.on('message', onMessage);
  const sample = await exchange(lanes, IN_FLIGHT, seconds);
  expected = sample.count * listeners.length;
  if (received < expected) {
    await new Promise<void>((resolve) => {
      complete = resolve;
    });
  }
  for (const listener of listeners) listener.off('message', onMessage);
  if (received !== expected) throw new Error(`${received} deliveries of ${expected}, in a group of ${members}`);
  return sample;
}
