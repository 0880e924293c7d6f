import type { Server } from '../server.ts';
import type { Victims } from './fault.ts';

/** How long a probe may wait for its answer, in milliseconds. */
const PROBE_WITHIN = 4_000;

/** What a probe says when all is as it should be: `200 live`, say. */
type Health = '200 live' | '200 degraded' | '503 unavailable';

/** Asks one of the servers, or the given one, for its health, and checks what it says. One that does not serve is left alone. */
export async function probe({ servers, random, verdict }: Victims, name: 'live' | 'ready', expected: Health, node?: number): Promise<void> {
  const server = node === undefined ? random.pick(servers) : servers[node];
  if (!server?.isServing) return;
  const { current } = server;
  const begun = Date.now();
  const told = await healthOf(server, name);
  verdict.check(
    `/health/${name} says "${expected}" while ${expected === '200 degraded' ? 'Redis' : 'the database'} fails`,
    told === expected || current.ending !== undefined,
    () => `server ${server.node} said "${told}" after ${Date.now() - begun} ms`,
  );
}

/** The HTTP status and the word that a server answers, or why it answers nothing. */
export async function healthOf({ url }: Server, name: 'live' | 'ready'): Promise<string> {
  try {
    const response = await fetch(`${url}/health/${name}`, { signal: AbortSignal.timeout(PROBE_WITHIN) });
    const body: unknown = await response.json();
    const status = typeof body === 'object' && body && 'status' in body ? body.status : undefined;
    return `${response.status} ${status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
