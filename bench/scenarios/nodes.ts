import { randomUUID } from 'node:crypto';
import type { Account } from '../client.ts';
import { duel, type Side } from '../duel.ts';
import { exchange, exchangeSteadily, type Lane } from '../exchange.ts';
import type { Figure, Findings } from '../figures.ts';
import { LoadClient } from '../loadClient.ts';
import { connectPairs } from '../pairs.ts';
import { percentile } from '../samples.ts';
import type { Stage, Target } from '../stage.ts';
import { MEMORY_PROBE, type TargetProcess } from '../target.ts';

/** Pairs of each way that there is: within one of the processes, and between them. */
const PAIRS = 12;
const IN_FLIGHT = 4;
/** As few messages as leave the processors idle most of the time. */
const MESSAGES_PER_SECOND = 100;
const TOPICS = 1_000;
const TOPICS_QUICK = 10;
const ROUNDS = 3;

/** Two processes on one database and Redis, beside one process alone; all share the machine's processors. */
export async function nodes(stage: Stage): Promise<Findings> {
  if (stage.options.url) {
    stage.say('left out: the processes must be started here');
    return { figures: [], lines: [] };
  }
  const variables = { REDIS_URL: await stage.redis(), JWT_SECRET: randomUUID() };
  const processes: [Target, Target] = [await stage.server(variables, MEMORY_PROBE), await stage.server(variables)];
  return {
    figures: [await throughput(stage, processes), await latency(stage, processes), ...(await topics(stage, processes[0]))],
    lines: [],
  };
}

/** Half of the pairs are at one process, the others at two. */
async function throughput(stage: Stage, [first, second]: [Target, Target]): Promise<Figure> {
  const scenario = `private, ${IN_FLIGHT} in flight, 2 processes`;
  stage.say(scenario);
  const alone = await stage.server();
  const ways = [
    connectPairs(first, PAIRS),
    connectPairs(second, PAIRS),
    connectPairs(first, PAIRS, second),
    connectPairs(second, PAIRS, first),
  ];
  const load = (target: Target, lanes: Lane[]): Side => ({ target, load: (seconds) => exchange(lanes, IN_FLIGHT, seconds) });
  const lanes = (await Promise.all(ways)).flat();
  const [ours, one] = await duel(stage.options.seconds, load(first, lanes), load(alone, await connectPairs(alone, lanes.length)));
  // They would be those of one of the two.
  const unknown = { cpuMicroseconds: undefined, memory: undefined };
  return { ...ours, ...unknown, scenario, unit: 'messages/s', value: ours.perSecond, floor: one.perSecond, required: { atLeast: 0.7 } };
}

/** How much longer a message takes to somebody at the other process. */
async function latency(stage: Stage, [first, second]: [Target, Target]): Promise<Figure> {
  const scenario = `private at ${MESSAGES_PER_SECOND}/s, between processes`;
  stage.say(scenario);
  const load = (lanes: Lane[]): Side => ({ target: first, load: (seconds) => exchangeSteadily(lanes, MESSAGES_PER_SECOND, seconds) });
  const [between, within] = [await connectPairs(first, PAIRS, second), await connectPairs(first, PAIRS)];
  const [ours, floor] = await duel(stage.options.seconds, load(between), load(within));
  return {
    scenario,
    unit: 'p50 ms more',
    value: ours.p50 - floor.p50,
    floor: floor.p50,
    p50: ours.p50,
    p99: ours.p99,
    requiredValue: { atMost: 3 },
  };
}

/** What the topics of somebody who is in many groups take of the server's memory. */
async function topics(stage: Stage, target: Target): Promise<Figure[]> {
  const count = stage.options.quick ? TOPICS_QUICK : TOPICS;
  const scenario = `${count.toLocaleString('en')} topics`;
  stage.say(scenario);
  const [busy, lonely] = await target.accounts(2);
  if (!busy || !lonely || !target.process) throw new Error('nobody can connect');
  await joinGroups(stage, busy, count);
  const found: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const value = (await bytesOf(target, target.process, busy)) - (await bytesOf(target, target.process, lonely));
    // The first round also compiles code and fills caches.
    if (round > 0) found.push(value);
  }
  const value = percentile(found, 0.5);
  return [{ scenario, unit: 'bytes', value, floor: count * 1024, requiredValue: { atMost: 2 ** 20 } }];
}

/** Makes somebody the only member of so many groups. */
async function joinGroups(stage: Stage, { id }: Account, count: number): Promise<void> {
  const database = await stage.connectDatabase();
  await database.query(
    `WITH made AS (
      INSERT INTO conversations (id, kind, name, creator_id) SELECT gen_random_uuid(), 'group', 'Bench', $1 FROM generate_series(1, $2::int) RETURNING id
    )
    INSERT INTO members (conversation_id, user_id, role) SELECT id, $1, 'owner' FROM made`,
    [id, count],
  );
}

/** Bytes that a connection of somebody takes. */
async function bytesOf(target: Target, process: TargetProcess, account: Account): Promise<number> {
  const before = await process.collectedMemory();
  const client = await LoadClient.connect(target.url, account);
  const after = await process.collectedMemory();
  await client.close();
  return after.heapUsed + after.external - before.heapUsed - before.external;
}
