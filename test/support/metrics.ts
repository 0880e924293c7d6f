import { expect } from 'vitest';
import { eventually } from './eventually.ts';

/** Opens `/metrics` of servers under test that are given it. */
export const METRICS_TOKEN = 'a-token-of-prometheus-in-tests';

/** Reads what Prometheus would read. */
export async function readMetrics(server: { url: string }): Promise<string> {
  const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  if (response.status !== 200) throw new Error(`/metrics answers ${response.status}`);
  return response.text();
}

/** Every value, by its name with labels, as it is written there: `messenger_batch_size_sum{kind="sessions"}`. */
export async function scrape(server: { url: string }): Promise<Record<string, number>> {
  const lines = (await readMetrics(server)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]));
}

/** No more and no less statements that users ask for, save for a moment: the server itself looks now and then whether there is anything to index. */
export const expectUnderWay = (server: { url: string }, count: number) =>
  eventually(async () => expect((await scrape(server))['messenger_pool_connections{pool="statements",state="busy"}']).toBe(count));
