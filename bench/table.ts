import type { Figure } from './figures.ts';

const HEAD = ['scenario', 'figure', 'value', 'floor', 'ratio', 'required', 'met', 'p50 ms', 'p99 ms', 'CPU µs each', 'memory MiB'];

/** The figures as rows of text, with a head. */
export function rowsOf(figures: Figure[]): string[][] {
  return [HEAD, ...figures.map(rowOf)];
}

function rowOf(figure: Figure): string[] {
  const { scenario, unit, value, floor, p50, p99, cpuMicroseconds, memory } = figure;
  return [
    scenario,
    unit,
    short(value),
    short(floor),
    short(ratioOf(figure)),
    requirementOf(figure),
    verdictOf(figure),
    short(p50),
    short(p99),
    short(cpuMicroseconds),
    short(memory && memory / 2 ** 20),
  ];
}

function ratioOf({ value, floor }: Figure): number | undefined {
  return floor && value / floor;
}

function requirementOf({ required }: Figure): string {
  if (!required) return '';
  if ('valueAtMost' in required) return `value ≤ ${required.valueAtMost}`;
  return 'atLeast' in required ? `≥ ${required.atLeast}` : `≤ ${required.atMost}`;
}

function verdictOf(figure: Figure): string {
  const { required, value } = figure;
  const ratio = ratioOf(figure) ?? Number.NaN;
  if (!required) return '';
  if ('valueAtMost' in required) return value <= required.valueAtMost ? 'yes' : 'NO';
  return ('atLeast' in required ? ratio >= required.atLeast : ratio <= required.atMost) ? 'yes' : 'NO';
}

function short(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '';
  return value.toLocaleString('en', value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}

/** Rows in columns of one width, for a terminal. */
export function alignedTable(rows: string[][]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  ')).join('\n');
}

function pad(cell: string, width: number, column: number): string {
  return column < 2 ? cell.padEnd(width) : cell.padStart(width);
}

/** Rows as a table of Markdown. */
export function markdownTable([head = [], ...rows]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map((_, column) => (column < 2 ? '---|' : '---:|')).join('')}`, ...rows.map(line)].join('\n');
}
