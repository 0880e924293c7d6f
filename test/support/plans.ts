import { inject } from 'vitest';
import { z } from 'zod';
import { query } from './database.ts';

/** What PostgreSQL tells of a step; rows are the average of its loops. */
const step = z.object({
  'Node Type': z.string(),
  'Relation Name': z.string().optional(),
  'Index Name': z.string().optional(),
  'Actual Rows': z.number(),
  'Actual Loops': z.number(),
  'Rows Removed by Filter': z.number().default(0),
  'Rows Removed by Join Filter': z.number().default(0),
  'Rows Removed by Index Recheck': z.number().default(0),
  get Plans(): z.ZodDefault<z.ZodArray<typeof step>> {
    return z.array(step).default([]);
  },
});
const statement = z.object({ 'Query Text': z.string(), Plan: step });

type Step = z.output<typeof step>;
/** A statement that ran, and how. */
export type Statement = z.output<typeof statement>;

/** PostgreSQL's log, in its directory. */
const LOG = 'server.log';
/** Rows that no step may read or throw away. */
const MANY = 1_000;

const SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_format': 'json',
};

/** Whether a statement is planned for its parameters, or once for any: prepared statements may be either. */
export type PlanMode = 'force_custom_plan' | 'force_generic_plan';

/** Makes every connection that is opened from now on explain all that it runs, statements within functions too. */
export async function explainAll(databaseUrl: string, mode: PlanMode): Promise<void> {
  const name = new URL(databaseUrl).pathname.slice(1);
  for (const [setting, value] of Object.entries({ ...SETTINGS, plan_cache_mode: mode })) {
    await query(inject('databaseUrl'), `ALTER DATABASE ${name} SET ${setting} = '${value}'`);
  }
}

/** What was run while `work` was, in databases that explain all: a plan is in the log before its statement is answered. */
export async function statementsOf(work: () => Promise<unknown>): Promise<Statement[]> {
  const [before] = await query<{ size: string }>(inject('databaseUrl'), `SELECT size FROM pg_stat_file('${LOG}')`);
  await work();
  const [log] = await query<{ text: string }>(inject('databaseUrl'), `SELECT pg_read_file('${LOG}', $1, $2) AS text`, [before?.size, 1e9]);
  // Lines of one entry follow one another; all but its first begin with a tab.
  const plans = [...(log?.text ?? '').matchAll(/ms {2}plan:\n((?:\t.*\n)+)/g)].map(([, plan = '']) => plan);
  // One that was only asked for with EXPLAIN was not run.
  return plans.filter((plan) => plan.includes('"Actual Loops"')).map((plan) => statement.parse(JSON.parse(plan)));
}

/** Tables that were read. */
export function tablesOf(statements: Statement[]): Set<string> {
  const tables = statements.flatMap(({ Plan }) => stepsOf(Plan)).flatMap((step) => step['Relation Name'] ?? []);
  return new Set(tables);
}

/** What would become slow when there is more of everything; `mine` is the number of chats that the user has. */
export function faultsOf(statements: Statement[], mine: number): string[] {
  return statements.flatMap(({ Plan, 'Query Text': text }) =>
    stepsOf(Plan).flatMap((step) => faultsOfStep(step, mine).map((fault) => `${nameOf(step)} ${fault} in ${text}`)),
  );
}

function faultsOfStep(step: Step, mine: number): string[] {
  const loops = step['Actual Loops'];
  const thrownAway = step['Rows Removed by Filter'] + step['Rows Removed by Join Filter'] + step['Rows Removed by Index Recheck'];
  const sorted = step['Node Type'].endsWith('Sort')
    ? Math.max(0, ...step.Plans.map((input) => input['Actual Rows'] * input['Actual Loops']))
    : 0;
  return [
    ...(step['Node Type'] === 'Seq Scan' ? ['reads a whole table'] : []),
    ...(step['Actual Rows'] * loops >= MANY ? [`gives ${step['Actual Rows'] * loops} rows`] : []),
    ...(thrownAway * loops >= MANY ? [`throws ${thrownAway * loops} rows away`] : []),
    ...(sorted > mine ? [`sorts ${sorted} rows`] : []),
  ];
}

const nameOf = (step: Step): string => [step['Node Type'], step['Index Name'] ?? step['Relation Name'] ?? ''].join(' ').trim();

/** All steps that were taken. */
function stepsOf(step: Step): Step[] {
  return step['Actual Loops'] === 0 ? [] : [step, ...step.Plans.flatMap(stepsOf)];
}
