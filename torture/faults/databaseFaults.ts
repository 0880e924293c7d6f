import { setTimeout as delay } from 'node:timers/promises';
import { DATABASE_BACK_WITHIN } from '../bounds.ts';
import { terminateBackends } from '../queries.ts';
import type { Volume } from '../volume.ts';
import type { Fault } from './fault.ts';
import { probe } from './probe.ts';

/** How long the database answers nothing, at least and at most, in milliseconds: longer than any request may wait. */
const FROZEN_FOR = [14_000, 18_000] as const;
/** How long the server may take to see that it does, in milliseconds. */
const NOTICED_WITHIN = 4_000;
const POLL_INTERVAL = 100;
const FILL_INTERVAL = 300;

const killDatabase: Fault = {
  name: 'PostgreSQL killed',
  async strike({ postgres, verdict }) {
    const killed = await postgres.kill();
    const deadline = Date.now() + DATABASE_BACK_WITHIN;
    const isBack = async () => (await postgres.pid()) !== killed && (await postgres.answers());
    while (!(await isBack()) && Date.now() < deadline) await delay(POLL_INTERVAL);
    const back = await isBack();
    verdict.check('the server brings a killed PostgreSQL back', back, () => `not within ${DATABASE_BACK_WITHIN} ms`);
    return killed !== undefined;
  },
};

const terminate: Fault = {
  name: 'connections to PostgreSQL ended',
  async strike({ postgres, random }) {
    let ended = 0;
    for (let times = random.integer(1, 4); times > 0; times--) {
      const percent = random.integer(10, 100);
      const choose = (pids: number[]) => random.sample(pids, Math.ceil((pids.length * percent) / 100));
      const ending = postgres.url().then((url) => terminateBackends(url, choose));
      // A database that is too busy to let anybody in is missed; the run goes on.
      ended += await ending.catch(() => 0);
      await delay(random.integer(0, 500));
    }
    return ended > 0;
  },
};

const freeze: Fault = {
  name: 'PostgreSQL frozen',
  async strike(victims) {
    const { postgres, verdict, counts, random } = victims;
    // Where no client is connected, it is connections that are refused.
    const refusals = () => (counts.errors.get('unavailable') ?? 0) + (counts.errors.get('HTTP 503') ?? 0);
    const before = refusals();
    if (!(await postgres.freeze())) return false;
    const begun = Date.now();
    const over = begun + random.integer(...FROZEN_FOR);
    while (Date.now() < over) {
      await probe(victims, 'live', '200 live');
      if (Date.now() > begun + NOTICED_WITHIN) await probe(victims, 'ready', '503 unavailable');
      await delay(random.integer(100, 1_000));
    }
    const refused = refusals() - before;
    await postgres.thaw();
    verdict.check(
      'requests are answered "unavailable" while the database does not answer',
      refused > 0,
      () => `none was in ${Date.now() - begun} ms`,
    );
    return true;
  },
};

/** The disk of the database is full for a while. */
export const diskFull = (volume: Volume): Fault => ({
  name: 'disk full',
  async strike(victims) {
    const { counts, random } = victims;
    const before = counts.refusals;
    const over = Date.now() + random.integer(4_000, 8_000);
    try {
      while (Date.now() < over) {
        // Again and again: PostgreSQL frees some of its own.
        await volume.fill();
        await probe(victims, 'live', '200 live');
        await delay(FILL_INTERVAL);
      }
      return counts.refusals > before;
    } finally {
      await volume.free();
    }
  },
});

export const databaseFaults = [killDatabase, terminate, freeze];
