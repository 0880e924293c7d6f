import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from '../client.ts';
import { duel, type Side } from '../duel.ts';
import { exchange, type Lane } from '../exchange.ts';
import type { Findings } from '../figures.ts';
import { createGroup } from '../groups.ts';
import { connectAll, LoadClient } from '../loadClient.ts';
import type { Stage, Target } from '../stage.ts';

const MEMBERS = 300;
const MEMBERS_QUICK = 30;
const SENDERS = 10;
/**
 * Messages of each sender that are on their way at a time. With one each, as people write, the relay is at its limit already;
 * more would only fill the server's batches, and flatter it.
 */
const IN_FLIGHT = 1;
/** How long the last frames of a load may take to be counted, in milliseconds. */
const COUNT_TIMEOUT = 5_000;

/** A group whose members are all online; some of them write, and every other member receives. */
export async function groupMessages(stage: Stage): Promise<Findings> {
  const members = stage.options.quick ? MEMBERS_QUICK : MEMBERS;
  const server = await stage.server();
  stage.say(`making a group of ${members}`);
  const accounts = await server.accounts(members);
  const groupId = await createGroup(server.url, accounts);
  const relay = await stage.relay();
  const ours = await sideOf(server, accounts, groupId);
  const floor = await sideOf(relay, await relay.accounts(members), groupId);
  const scenario = `group of ${members} online, ${SENDERS} send`;
  stage.say(scenario);
  const [result, floorResult] = await duel(stage.options.seconds, ours, floor);
  const receivers = members - 1;
  const deliveries = {
    value: result.perSecond * receivers,
    floor: floorResult.perSecond * receivers,
    cpuMicroseconds: result.cpuMicroseconds === undefined ? undefined : result.cpuMicroseconds / receivers,
  };
  return { figures: [{ ...result, scenario, unit: 'deliveries/s', ...deliveries, required: { atLeast: 1 } }], lines: [] };
}

/** Connects all members, and checks after each load that every message reached every other member once. */
async function sideOf(target: Target, accounts: Account[], groupId: string): Promise<Side> {
  const observer = accounts.at(-1);
  if (!observer) throw new Error('a group needs members');
  const clients = await connectAll(target.url, accounts.slice(0, -1));
  // Connected last, it is written to last: what it has, all have been sent.
  const receiver = await LoadClient.connect(target.url, observer);
  const lanes = clients.slice(0, SENDERS).map((sender): Lane => ({ sender, receiver, type: 'messageInGroup', to: { groupId } }));
  let messages = 0;
  const load = async (seconds: number) => {
    const sample = await exchange(lanes, IN_FLIGHT, seconds);
    messages += sample.count;
    // A message is a frame to each other member, and the acknowledgement is one to the sender.
    await settle(messages * accounts.length, () => clients.reduce((sum, { frames }) => sum + frames, receiver.frames));
    return sample;
  };
  return { target, load };
}

async function settle(expected: number, count: () => number): Promise<void> {
  const deadline = performance.now() + COUNT_TIMEOUT;
  while (count() < expected && performance.now() < deadline) await delay(10);
  if (count() !== expected) throw new Error(`${count()} frames arrived where ${expected} should have`);
}
