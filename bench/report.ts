import type { Bound, Figure } from './figures.ts';
import { machineText, type Results } from './results.ts';

const HEADINGS = ['scenario', 'figure', 'value', 'floor', 'ratio', 'required', 'met', 'p50 ms', 'p99 ms', 'CPU µs', 'MiB'];
/** Columns of words; the others hold numbers. */
const WORDS = new Set([0, 1, 5, 6]);

/** Begins and ends the part of the README that is written here. */
const BEGIN = '<!-- written by npm run bench -->';
const END = '<!-- end -->';

/** The figures as a table for a terminal. */
export function textTable(figures: Figure[]): string {
  const rows = [HEADINGS, ...figures.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((cell, column) => (WORDS.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '),
  );
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** The README with the figures of `results` in their place, and the charts, whose files are in `directory`. */
export function writeIntoReadme(readme: string, { figures, lines, machine, date, command }: Results, directory: string): string {
  const [before, rest] = readme.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`README.md has no place for figures: ${BEGIN} … ${END}`);
  const charts = CHARTS.filter(({ chart }) => lines.some((line) => line.chart === chart));
  const parts = [
    ...charts.map(({ chart, title }) => `![${title}](${directory}/${chart}.svg)`),
    `\`${command}\` on ${date.slice(0, 10)}: ${machineText(machine)}.`,
    [HEADINGS, HEADINGS.map((_, column) => (WORDS.has(column) ? '---' : '---:')), ...figures.map(cells)]
      .map((row) => `| ${row.join(' | ')} |`)
      .join('\n'),
  ];
  return `${before}${BEGIN}\n\n${parts.join('\n\n')}\n\n${END}${after}`;
}

/** The charts that there may be, and what they show. */
export const CHARTS = [
  { chart: 'throughput', title: 'Latency against throughput' },
  { chart: 'pages', title: 'Time of a page against the number of messages' },
] as const;

function cells({ scenario, unit, value, floor, required, requiredValue, p50, p99, cpuMicroseconds, memory }: Figure): string[] {
  const ratio = value / floor;
  const requirements = [required && `${boundText(required)} ×`, requiredValue && boundText(requiredValue)].filter(Boolean);
  const isMet = (!required || isWithin(ratio, required)) && (!requiredValue || isWithin(value, requiredValue));
  return [
    scenario,
    unit,
    numberText(value),
    numberText(floor),
    ratio.toFixed(2),
    requirements.join(', '),
    requirements.length === 0 ? '' : isMet ? 'yes' : 'NO',
    numberText(p50),
    numberText(p99),
    numberText(cpuMicroseconds),
    memory === undefined ? '' : Math.round(memory / 2 ** 20).toLocaleString('en'),
  ];
}

function isWithin(value: number, bound: Bound): boolean {
  return 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost;
}

function boundText(bound: Bound): string {
  return 'atLeast' in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`;
}

function numberText(value: number | undefined): string {
  if (value === undefined) return '';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2);
}
