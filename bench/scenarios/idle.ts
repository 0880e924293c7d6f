import { connectAll, disconnectAll } from '../client.ts';
import type { Findings } from '../figures.ts';
import type { Stage, Target } from '../stage.ts';
import { COLLECTABLE } from '../target.ts';

const CONNECTIONS = 5_000;
const CONNECTIONS_QUICK = 100;
/** Of so many people are the connections: to register one for each would take far longer than to connect them. */
const PEOPLE = 100;

/** What a connection costs in memory while nothing happens on it. */
export async function idle(stage: Stage): Promise<Findings> {
  const count = stage.options.quick ? CONNECTIONS_QUICK : CONNECTIONS;
  const scenario = `idle, ${count.toLocaleString('en')} connections`;
  stage.say(scenario);
  const ours = await bytesOfConnection(await stage.server({}, COLLECTABLE), count);
  const floor = await bytesOfConnection(await stage.relay(COLLECTABLE), count);
  return {
    figures: [{ scenario, unit: 'bytes each', value: ours.each, floor: floor.each, required: { atMost: 1.6 }, memory: ours.total }],
    lines: [],
  };
}

/** Bytes that the process has in memory for each of so many connections. They are opened twice: the first time what all share grows too. */
async function bytesOfConnection(target: Target, count: number): Promise<{ each: number; total: number | undefined }> {
  const people = await target.accounts(PEOPLE);
  const accounts = Array.from({ length: count }, (_, index) => people[index % PEOPLE]).filter((account) => account !== undefined);
  await disconnectAll(await connectAll(target.url, accounts));
  const before = await memoryAfterCollection(target);
  const sockets = await connectAll(target.url, accounts);
  const total = await memoryAfterCollection(target);
  await disconnectAll(sockets);
  return { each: ((total ?? Number.NaN) - (before ?? Number.NaN)) / count, total };
}

async function memoryAfterCollection({ process }: Target): Promise<number | undefined> {
  await process?.collectGarbage();
  return process?.memory();
}
