import { setTimeout as delay } from 'node:timers/promises';
import { GIVE_UP_AFTER, LOG_LINES_PER_FAULT, WELL_WITHIN } from '../bounds.ts';
import type { Counts } from '../counts.ts';
import type { Random } from '../random.ts';
import type { Fault, Victims } from './fault.ts';

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

/** Lets a fault of the server or its database strike, and checks that all is well soon after, and the log short. */
export async function strikeAndRecover(fault: Fault, victims: Victims): Promise<void> {
  const { server, verdict, counts } = victims;
  const linesBefore = server.logLines;
  const hasHit = await fault.strike(victims);
  const untilWell = await waitUntilWell(victims);
  const lines = server.logLines - linesBefore;
  if (hasHit) counts.fault(fault.name, { untilWell, logLines: lines });
  else counts.missed(fault.name);
  verdict.check(`all is well ${WELL_WITHIN} ms after a fault`, untilWell <= WELL_WITHIN, () => `${fault.name}: only after ${untilWell} ms`);
  verdict.check(
    `a fault makes no more than ${LOG_LINES_PER_FAULT} log lines`,
    lines <= LOG_LINES_PER_FAULT,
    () => `${fault.name}: ${lines} lines; the last of them:\n${server.current.lastLines.join('\n')}`,
  );
}

/** Waits until the server says that it is ready, and each client has an acknowledgement of what it sent since. Returns the milliseconds it took. */
async function waitUntilWell({ server, clients }: Victims): Promise<number> {
  const begun = Date.now();
  const isServed = () => clients.every((client) => client.hasAcknowledgementSince(begun));
  const isReady = async () =>
    (await fetch(`${server.url}/health/ready`, { signal: AbortSignal.timeout(GIVE_UP_AFTER) }).catch(() => undefined))?.ok;
  while (!(isServed() && (await isReady())) && Date.now() - begun < GIVE_UP_AFTER) await delay(POLL_INTERVAL);
  return Date.now() - begun;
}
