import type { Findings } from '../figures.ts';
import { connectAll } from '../loadClient.ts';
import { percentile } from '../samples.ts';
import type { Stage, Target } from '../stage.ts';
import { MEMORY_PROBE, type TargetProcess } from '../target.ts';

/** Distinct users take long to register, so each has many connections. A user's own share is thus hardly in the figure. */
const USERS = 100;
const CONNECTIONS_EACH = 50;
const CONNECTIONS_EACH_QUICK = 1;
const ROUNDS = 3;

/** Connections that are open and do nothing: what one takes of the server's memory. */
export async function idle(stage: Stage): Promise<Findings> {
  const server = await stage.server({}, MEMORY_PROBE);
  if (!server.process) {
    stage.say('left out: the memory of a server that runs elsewhere cannot be read');
    return { figures: [], lines: [] };
  }
  const relay = await stage.relay(MEMORY_PROBE);
  const each = stage.options.quick ? CONNECTIONS_EACH_QUICK : CONNECTIONS_EACH;
  const scenario = `idle, ${(USERS * each).toLocaleString('en')} connections`;
  stage.say(scenario);
  const value = await bytesEach(server, server.process, each);
  const floor = relay.process ? await bytesEach(relay, relay.process, each) : Number.NaN;
  return { figures: [{ scenario, unit: 'bytes/connection', value, floor, required: { atMost: 1.6 } }], lines: [] };
}

/**
 * Bytes of one connection: what is left on the heap and in buffers after a collection with all open, less the same with none.
 * It comes out within 5 % each time. The resident set does not, even for the same server: it grows in steps, and what a process has
 * once touched it keeps, so a second thousand connections may cost nothing or three times as much.
 */
async function bytesEach(target: Target, process: TargetProcess, connectionsEach: number): Promise<number> {
  const users = await target.accounts(USERS);
  const accounts = users.flatMap((user) => Array.from({ length: connectionsEach }, () => user));
  const found: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const before = await process.collectedMemory();
    const clients = await connectAll(target.url, accounts);
    const after = await process.collectedMemory();
    await Promise.all(clients.map((client) => client.close()));
    const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
    // The first round also compiles code and fills caches, which are no part of a connection.
    if (round > 0) found.push(bytes / accounts.length);
  }
  return percentile(found, 0.5);
}
