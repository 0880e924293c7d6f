import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { drawChart } from './chart.ts';
import type { Findings, Line } from './figures.ts';
import { describeMachine, machineLine } from './machine.ts';
import { alignedTable, rowsOf } from './table.ts';

/** Prints the figures, and writes them and the charts into a folder: `results.json`, `throughput.svg`, `pages.svg`. */
export async function writeReport({ figures, lines }: Findings, output: string): Promise<void> {
  const machine = describeMachine();
  await mkdir(output, { recursive: true });
  const results = {
    machine,
    measuredAt: new Date().toISOString(),
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    figures,
    lines,
  };
  await writeFile(path.join(output, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  const subtitle = machineLine(machine);
  const of = (chart: Line['chart']) => lines.filter((line) => line.chart === chart);
  if (of('throughput').length > 0) {
    const title = 'Private messages: latency against throughput';
    const svg = drawChart({ title, subtitle, x: 'messages/s', y: 'p99, ms', scale: 'value', lines: of('throughput') });
    await writeFile(path.join(output, 'throughput.svg'), svg);
  }
  if (of('pages').length > 0) {
    const title = 'Time of a page against the number of messages';
    const svg = drawChart({ title, subtitle, x: 'messages', y: 'p50, ms', scale: 'log', lines: of('pages') });
    await writeFile(path.join(output, 'pages.svg'), svg);
  }
  process.stdout.write(`\n${subtitle}\n\n${alignedTable(rowsOf(figures))}\n\nWritten to ${output}\n`);
}
