import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { RawData } from 'ws';
import { type Credentials, logIn, register } from '../accounts.ts';
import { connectAll, messageIdOf, send } from '../client.ts';
import type { Findings } from '../figures.ts';
import { percentile } from '../samples.ts';
import type { Stage, Target } from '../stage.ts';

const PEOPLE = 20;
const PAIRS = 10;
/** Milliseconds between two messages: 500 a second. */
const MESSAGE_INTERVAL = 2;
/** Milliseconds between two probes. */
const PROBE_INTERVAL = 20;
/** Rounds without and with log-ins, in turn. */
const ROUNDS = 3;

/** Messages at a steady 500 a second, without and with people who log in without pause, and probes beside the log-ins. */
export async function logins(stage: Stage): Promise<Findings> {
  const { seconds } = stage.options;
  const scenario = `500 messages/s while ${PEOPLE} log in`;
  const target = await stage.server({ BCRYPT_ROUNDS: '10' });
  stage.say(`registering people`);
  const people = await Promise.all(Array.from({ length: PEOPLE }, () => register(target.url)));
  const steady = await steadyMessages(target);
  await steady(Math.min(2, seconds));
  stage.say(scenario);
  const calm: number[] = [];
  const busy: number[] = [];
  const probes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    calm.push(...(await steady(seconds / ROUNDS)));
    const ended = new AbortController();
    const loggingIn = people.map((person) => logInAgainAndAgain(target.url, person, ended.signal));
    const probing = probe(target.url, probes, ended.signal);
    busy.push(...(await steady(seconds / ROUNDS)));
    ended.abort();
    await Promise.all([probing, ...loggingIn]);
  }
  const p99 = percentile(busy, 0.99);
  return {
    figures: [
      { scenario, unit: 'p99 ms', value: p99, floor: percentile(calm, 0.99), required: { atMost: 3 }, p50: percentile(busy, 0.5), p99 },
      {
        scenario: `GET /health/live while ${PEOPLE} log in`,
        unit: 'p99 ms',
        value: percentile(probes, 0.99),
        required: { valueAtMost: 50 },
      },
    ],
    lines: [],
  };
}

async function logInAgainAndAgain(url: string, person: Credentials, end: AbortSignal): Promise<void> {
  while (!end.aborted) await logIn(url, person);
}

/** Asks again and again whether the server lives, and adds the time of each answer. */
async function probe(url: string, latencies: number[], end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    const askedAt = performance.now();
    await (await fetch(`${url}/health/live`)).arrayBuffer();
    latencies.push(performance.now() - askedAt);
    await delay(PROBE_INTERVAL);
  }
}

/** Pairs of people, and what sends messages between them at a steady rate; latencies count from when a message was due. */
async function steadyMessages(target: Target): Promise<(seconds: number) => Promise<number[]>> {
  const accounts = await target.accounts(PAIRS * 2);
  const sockets = await connectAll(target.url, accounts);
  return async (seconds) => {
    const due = new Map<string, number>();
    const latencies: number[] = [];
    const onMessage = (data: RawData) => {
      const messageId = messageIdOf(data);
      latencies.push(performance.now() - (due.get(messageId) ?? Number.NaN));
      due.delete(messageId);
    };
    const senders = sockets.slice(0, PAIRS);
    for (const sender of senders) sender.on('message', onMessage);
    const begin = performance.now();
    for (let count = 0; count < (seconds * 1000) / MESSAGE_INTERVAL; count++) {
      const dueAt = begin + count * MESSAGE_INTERVAL;
      if (dueAt > performance.now()) await delay(dueAt - performance.now());
      const messageId = randomUUID();
      due.set(messageId, dueAt);
      const params = { messageId, content: 'Hello', receiverId: accounts[PAIRS + (count % PAIRS)]?.id };
      const sender = senders[count % PAIRS];
      if (sender) send(sender, JSON.stringify({ type: 'privateMessage', requestId: messageId, params }));
    }
    while (due.size > 0) await delay(1);
    for (const sender of senders) sender.off('message', onMessage);
    return latencies;
  };
}
