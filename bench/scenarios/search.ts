import { addPeople, COMMON_TERM, crowd, RARE_TERM, settle } from '../data.ts';
import { duel, type Side } from '../duel.ts';
import type { Figure, Findings } from '../figures.ts';
import { startBeside, withClient } from '../fill.ts';
import { repeat } from '../samples.ts';
import type { Stage } from '../stage.ts';

const SMALL = 200;
const LARGE = 200_000;
const LARGE_QUICK = 2_000;

/** One who looks for people, among few and among many. */
export async function search(stage: Stage): Promise<Findings> {
  if (stage.options.url !== undefined) {
    stage.say('left out: few and many people are in databases of their own');
    return { figures: [], lines: [] };
  }
  const count = stage.options.quick ? LARGE_QUICK : LARGE;
  const large = await searchAmong(stage, 'many', count);
  const small = await searchAmong(stage, 'few', SMALL);
  const figures: Figure[] = [];
  for (const [what, term, atMost] of [
    ['20 people', RARE_TERM, 4],
    ['half of all', COMMON_TERM, 10],
  ] as const) {
    const scenario = `search for ${what} among ${count.toLocaleString('en')}`;
    stage.say(scenario);
    const [among, floor] = await duel(stage.options.seconds, large(term), small(term));
    figures.push({ scenario, unit: 'p50 ms', value: among.p50, floor: floor.p50, required: { atMost }, ...among });
  }
  return { figures, lines: [] };
}

/** Fills a database of its own with people, and returns what searches there. */
async function searchAmong(stage: Stage, name: string, count: number): Promise<(term: string) => Side> {
  stage.say(`writing ${count.toLocaleString('en')} people`);
  const { target, databaseUrl } = await startBeside(stage, name);
  const [account] = await target.accounts(1);
  await withClient(databaseUrl, async (client) => {
    await addPeople(client, crowd(count));
    await settle(client);
  });
  const headers = { authorization: `Bearer ${account?.token}` };
  return (term) => ({ target, load: (seconds) => repeat(seconds, () => find(`${target.url}/api/search?searchText=${term}`, headers)) });
}

/** One search; the connection is kept for the next. */
async function find(url: string, headers: Record<string, string>): Promise<void> {
  const response = await fetch(url, { headers });
  const answer = await response.text();
  if (!response.ok || answer === '{"data":[]}') throw new Error(`${url} answered ${response.status} ${answer}`);
}
