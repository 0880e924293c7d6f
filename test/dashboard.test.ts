import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { METRICS_TOKEN, readMetrics } from './support/metrics.ts';
import { startServer, type TestServer } from './support/server.ts';

const dashboard = z
  .object({ panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).min(1) })).min(1) })
  .parse(JSON.parse(await readFile('docs/grafana-dashboard.json', 'utf8')));
const queries = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));
const NAMES = /\b(?:messenger|nodejs|process)_\w+/g;
/** As the handbook writes them. */
const QUOTED_NAMES = /(?<=`)(?:messenger|nodejs|process)_\w+(?=`)/g;

describe('Of the metrics', () => {
  let server: TestServer;
  /** By name, what kind each is. */
  let kinds: Map<string, string>;
  beforeAll(async () => {
    server = await startServer({ METRICS_TOKEN });
    const types = (await readMetrics(server)).matchAll(/^# TYPE (\S+) (\S+)$/gm);
    kinds = new Map([...types].map(([, name = '', kind = '']) => [name, kind]));
  });
  afterAll(() => server.app.stop());

  const own = () => [...kinds.keys()].filter((name) => name.startsWith('messenger_'));
  /** What can be asked for of a metric: a histogram is stored in parts. */
  const seriesOf = (name: string) =>
    kinds.get(name) === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name];
  const series = () => [...kinds.keys()].flatMap(seriesOf);

  test.each(queries)('those that the dashboard asks for exist: $title', ({ expr }) => {
    const names = expr.match(NAMES) ?? [];
    expect(names).not.toEqual([]);
    expect(series()).toEqual(expect.arrayContaining(names));
  });

  test('each of our own is on the dashboard', () => {
    const asked = new Set(queries.flatMap(({ expr }) => expr.match(NAMES) ?? []));
    expect(own().filter((name) => seriesOf(name).some((one) => asked.has(one)))).toEqual(own());
  });

  test('each of our own has a row in the handbook, with when to worry, and there are no others', async () => {
    const handbook = await readFile('docs/operations.md', 'utf8');
    const rows = [...handbook.matchAll(/^\| `(messenger_\w+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, name]) => name);
    expect(new Set(rows)).toEqual(new Set(own()));
    for (const name of handbook.match(QUOTED_NAMES) ?? []) expect([...kinds.keys(), ...series()]).toContain(name);
  });
});
