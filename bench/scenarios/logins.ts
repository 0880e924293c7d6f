import { setTimeout as delay } from 'node:timers/promises';
import { type Credentials, logIn, register } from '../accounts.ts';
import { duel, type Side } from '../duel.ts';
import { exchangeSteadily, type Lane } from '../exchange.ts';
import type { Findings } from '../figures.ts';
import { connectPairs } from '../pairs.ts';
import type { Sample } from '../samples.ts';
import type { Stage } from '../stage.ts';

const PAIRS = 20;
const PAIRS_QUICK = 2;
const MESSAGES_PER_SECOND = 500;
const PROBES_PER_SECOND = 100;
/** People who log in again as soon as they are logged in. */
const LOGGING_IN = 20;
const LOGGING_IN_QUICK = 3;

/** What is loaded at the same time, and what was measured of each. */
interface Samples {
  messages: Sample;
  health: Sample;
}

/** Messages at a steady rate and probes of the server's health, with and without people who log in without pause. */
export async function logins(stage: Stage): Promise<Findings> {
  const server = await stage.server({ BCRYPT_ROUNDS: '10' });
  stage.say('registering people');
  const [pairs, people] = stage.options.quick ? [PAIRS_QUICK, LOGGING_IN_QUICK] : [PAIRS, LOGGING_IN];
  const lanes = await connectPairs(server, pairs);
  const credentials = await Promise.all(Array.from({ length: people }, () => register(server.url)));
  const side = (busy: Credentials[], what: keyof Samples): Side => ({
    target: server,
    load: async (seconds) => (await load(server.url, lanes, busy, seconds))[what],
  });
  const during = `${people} people logging in`;
  stage.say(`messages with ${during}`);
  const [busy, calm] = await duel(stage.options.seconds, side(credentials, 'messages'), side([], 'messages'));
  stage.say(`health with ${during}`);
  const [health, calmHealth] = await duel(stage.options.seconds, side(credentials, 'health'), side([], 'health'));
  // The processor's time is that of the logins, so it says nothing about a message or a probe.
  const unknown = { unit: 'p99 ms', cpuMicroseconds: undefined };
  return {
    figures: [
      {
        ...busy,
        ...unknown,
        scenario: `messages at ${MESSAGES_PER_SECOND}/s, ${during}`,
        value: busy.p99,
        floor: calm.p99,
        required: { atMost: 3 },
      },
      { ...health, ...unknown, scenario: `health, ${during}`, value: health.p99, floor: calmHealth.p99, requiredValue: { atMost: 50 } },
    ],
    lines: [],
  };
}

/** Loads when the first of the people is logged in: that all begin in the same moment is not what is measured. */
async function load(url: string, lanes: Lane[], people: Credentials[], seconds: number): Promise<Samples> {
  let isOver = false;
  const firsts = people.map((person) => logIn(url, person));
  const loggingIn = people.map(async (person, index) => {
    await firsts[index];
    while (!isOver) await logIn(url, person);
  });
  if (people.length > 0) await Promise.race(firsts);
  const sending = exchangeSteadily(lanes, MESSAGES_PER_SECOND, seconds);
  const probing = probe(`${url}/health/live`, seconds).finally(() => {
    isOver = true;
  });
  const [messages, health] = await Promise.all([sending, probing, ...loggingIn]);
  return { messages, health };
}

/** Asks at a fixed rate, whenever the answers come; times count from when each was due. */
async function probe(url: string, seconds: number): Promise<Sample> {
  const begin = performance.now();
  const latencies = await Promise.all(
    Array.from({ length: Math.ceil(PROBES_PER_SECOND * seconds) }, async (_, index) => {
      const dueAt = begin + (index * 1000) / PROBES_PER_SECOND;
      await delay(Math.ceil(dueAt - performance.now()));
      const response = await fetch(url);
      await response.text();
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
      return performance.now() - dueAt;
    }),
  );
  return { count: latencies.length, seconds: (performance.now() - begin) / 1000, latencies };
}
