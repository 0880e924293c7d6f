import type { FaultCount } from './counts.ts';
import type { Run } from './run.ts';

const number = (value: number): string => value.toLocaleString('en');

const list = (counts: ReadonlyMap<string | number, number>): string =>
  [...counts].map(([name, count]) => `${name} ${number(count)} times`).join(', ') || 'none';

function describe({ count, longestUntilWell, mostLogLines }: FaultCount): string {
  if (longestUntilWell === 0) return `${count}`;
  return `${count}, all well after ${number(longestUntilWell)} ms at most, ${mostLogLines} log lines at most`;
}

/** What a run did and found, as lines of text. */
export function summary({ counts, history, verdict }: Run, messages: number): string {
  const { sends, acknowledged, retries, changes, broadcasts, connects, closes, pages, resets, longestAnswer, errors, faults, misses } =
    counts;
  const totals: [string, number][] = [
    ['messages sent', sends],
    ['acknowledged', acknowledged],
    ['sent again', retries],
    ['changes of messages', changes],
    ['broadcasts received', broadcasts],
    ['pages read', pages],
    ['conversations read anew', resets],
    ['connections opened', connects],
    ['longest wait for an answer, ms', longestAnswer],
    ['conversations checked', history.conversations.size],
    ['messages checked', messages],
    ['checks', verdict.checks],
    ['violations', verdict.violations],
  ];
  const width = Math.max(...totals.map(([name]) => name.length));
  return [
    ...totals.map(([name, value]) => `${name.padEnd(width)}  ${number(value)}`),
    '',
    ...[...faults].map(([name, fault]) => `${`${name}:`.padEnd(width + 1)} ${describe(fault)}`),
    `faults that hit nothing: ${list(misses)}`,
    `errors answered: ${list(errors)}`,
    `connections closed with: ${list(closes)}`,
    ...[...verdict.broken].map(([promise, { count, told }]) => `\nBROKEN ${number(count)} times: ${promise}\n  ${told.join('\n  ')}`),
    '',
  ].join('\n');
}
