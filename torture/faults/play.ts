import { setTimeout as delay } from 'node:timers/promises';
import { GIVE_UP_AFTER, LOG_LINES_PER_FAULT, WELL_WITHIN } from '../bounds.ts';
import type { Counts } from '../counts.ts';
import type { Random } from '../random.ts';
import type { Server } from '../server.ts';
import type { Fault, Victims } from './fault.ts';
import { healthOf } from './probe.ts';

const POLL_INTERVAL = 50;
/** Turns that a fault which hits nothing gets, at least. */
const TRIES = 5;

/** A fault that is next, with choices of its own: how many it makes depends on the clock, and must not change what comes after it. */
interface Turn {
  fault: Fault;
  /** How long to wait before it strikes, in milliseconds. */
  pause: number;
  random: Random;
}

/**
 * The faults, each as often as the others, in random order and at random times, until `over`.
 * Those that did not hit anything by then are tried on, until each has had `TRIES` turns.
 */
export function* schedule(faults: Fault[], random: Random, over: number, { faults: struck }: Counts): Generator<Turn> {
  for (let round = 1; Date.now() < over || round <= TRIES; round++) {
    for (const fault of random.sample(faults, faults.length)) {
      if (Date.now() >= over && struck.has(fault.name)) continue;
      yield { fault, pause: random.integer(200, 3_000), random: random.fork() };
    }
  }
}

/** Lets a fault of clients strike: the server need not recover from it. */
export async function strikeAlone(fault: Fault, victims: Victims): Promise<void> {
  if (await fault.strike(victims)) victims.counts.fault(fault.name);
  else victims.counts.missed(fault.name);
}

/** Lets a fault strike from which the servers must recover, and checks that all is well soon after, and the log short. */
export async function strikeAndRecover(fault: Fault, victims: Victims): Promise<void> {
  const { servers, verdict, counts, striking } = victims;
  const before = servers.map(({ logLines }) => logLines);
  striking.add(fault.name);
  const hasHit = await fault.strike(victims).finally(() => striking.delete(fault.name));
  const { untilWell, last } = await waitUntilWell(victims);
  const lines = servers.map(({ logLines }, index) => logLines - (before[index] ?? 0));
  const most = Math.max(...lines);
  if (hasHit) counts.fault(fault.name, { untilWell, logLines: most });
  else counts.missed(fault.name);
  verdict.check(
    `all is well ${WELL_WITHIN} ms after a fault`,
    untilWell <= WELL_WITHIN,
    () => `${fault.name}: only after ${untilWell} ms, the last was ${last}`,
  );
  verdict.check(
    `a fault makes no more than ${LOG_LINES_PER_FAULT} log lines`,
    most <= LOG_LINES_PER_FAULT,
    () => `${fault.name}: ${most} lines; the last of them:\n${servers[lines.indexOf(most)]?.current.lastLines.join('\n')}`,
  );
}

/**
 * Waits until no other such fault strikes, every server said since then that it is ready, and each client has an acknowledgement
 * of what it sent since then. Returns the milliseconds it took, and who was the last.
 */
async function waitUntilWell({ servers, clients, striking }: Victims): Promise<{ untilWell: number; last: string }> {
  let begun = Date.now();
  let last = 'nobody';
  const ready = new Set<Server>();
  while (Date.now() - begun < GIVE_UP_AFTER) {
    for (const server of servers) if (!ready.has(server) && (await healthOf(server, 'ready')) === '200 ready') ready.add(server);
    const unready = servers.find((server) => !ready.has(server));
    const unserved = clients.find((client) => !client.hasAcknowledgementSince(begun));
    if (striking.size > 0) {
      begun = Date.now();
      ready.clear();
    } else if (unready) last = `server ${unready.node}`;
    else if (unserved) last = `a ${unserved.constructor.name.toLowerCase()} of ${unserved.account.id}`;
    else break;
    await delay(POLL_INTERVAL);
  }
  return { untilWell: Date.now() - begun, last };
}
