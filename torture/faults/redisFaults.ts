import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from '../../bench/redis.ts';
import type { Way } from '../way.ts';
import type { Fault, Victims } from './fault.ts';
import { probe } from './probe.ts';

/** How long Redis is away, at least and at most, in milliseconds: from what hardly anybody notices to longer than a client waits. */
const AWAY_FOR = [100, 9_000] as const;
/** How long a server may take to see that it is, in milliseconds. */
const NOTICED_WITHIN = 6_000;
const PROBE_INTERVAL = 500;

/** What can happen to the Redis of several servers, and to their ways to it, in the order of the servers. */
export function redisFaults(redis: Redis, ways: readonly Way[]): Fault[] {
  const fault = (name: string, take: (victims: Victims) => Absence): Fault => ({
    name,
    async strike(victims) {
      await pass(take(victims), victims);
      return true;
    },
  });
  return [
    fault('Redis killed', () => ({ begin: () => redis.kill(), end: () => redis.launch() })),
    fault('Redis frozen', () => ({ begin: () => redis.freeze(), end: () => redis.thaw() })),
    fault('Redis cut off from one server', ({ servers, random }) => {
      const { node } = random.pick(servers);
      return { begin: () => ways[node]?.cut(), end: () => ways[node]?.mend(), node };
    }),
  ];
}

/** A time without Redis, for all servers or for one. */
interface Absence {
  begin(): void | Promise<void>;
  end(): void | Promise<void>;
  node?: number;
}

async function pass({ begin, end, node }: Absence, victims: Victims): Promise<void> {
  const { history, random, striking } = victims;
  const isBack = history.losses.begin(history.moment(), node);
  await begin();
  const begun = Date.now();
  const over = begun + random.integer(...AWAY_FOR);
  while (Date.now() < over) {
    await delay(Math.min(PROBE_INTERVAL, over - Date.now()));
    // Beside a fault of the database a server has more to tell.
    if (Date.now() > begun + NOTICED_WITHIN && striking.size === 1) await probe(victims, 'ready', '200 degraded', node);
  }
  await end();
  isBack(history.moment());
}
