import { parseArgs } from 'node:util';
import { OperatorError } from '../src/errors.ts';
import type { Scenario } from './figures.ts';
import { SCENARIOS } from './scenarios/index.ts';
import type { Options } from './stage.ts';

const SECONDS = 9;
const SECONDS_QUICK = 0.3;
/** Where the files of a whole run go, which the README shows. */
export const RESULTS_DIRECTORY = 'bench/results';

export const HELP = `npm run bench -- [options] [scenario ...]

Measures the server, where there is one beside a floor: a plain relay without database or rules, or the same with little data.
Without names it plays all scenarios: ${[...SCENARIOS.keys()].join(', ')}.

  --seconds N        how long each figure is measured (${SECONDS})
  --quick            a moment for each, little data, few connections: shows that everything runs, measures nothing
  --url URL          measures a server that runs there (http:, with RATE_LIMITS=off) instead of one of its own
  --database URL     the database of that server, for the scenarios that fill it; they leave their data there
  --output DIR       where to write results.json and the charts; by default a whole run writes ${RESULTS_DIRECTORY},
                     and the README's figures with it, and any other run only prints
  --help             prints this
`;

export interface Command extends Options {
  /** Names and scenarios, in the order of playing. */
  scenarios: [name: string, scenario: Scenario][];
  /** Where files are written; undefined for nowhere. */
  output: string | undefined;
  help: boolean;
}

/**
 * Reads the command line.
 * @throws {OperatorError} when it is wrong, with what there is
 */
export function readCommand(args: string[]): Command {
  const { values, positionals } = parse(args);
  const { quick, url, database, help } = values;
  const unknown = positionals.filter((name) => !SCENARIOS.has(name));
  if (unknown.length > 0) throw wrong(`There is no scenario ${unknown.join(', ')}.`);
  const seconds = values.seconds === undefined ? (quick ? SECONDS_QUICK : SECONDS) : Number(values.seconds);
  if (!(seconds > 0)) throw wrong('--seconds takes a number above 0.');
  if (url !== undefined && !(URL.canParse(url) && new URL(url).protocol === 'http:')) throw wrong('--url takes an address with http:.');
  if (database !== undefined && url === undefined) throw wrong('--database is that of a server: give --url too.');
  const whole = positionals.length === 0 && !quick && url === undefined;
  return {
    scenarios: [...SCENARIOS].filter(([name]) => positionals.length === 0 || positionals.includes(name)),
    seconds,
    quick,
    url: url?.replace(/\/$/, ''),
    database,
    output: values.output ?? (whole ? RESULTS_DIRECTORY : undefined),
    help,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        url: { type: 'string' },
        database: { type: 'string' },
        output: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    // What Node adds after the first sentence is about positional arguments, which is not what was meant.
    throw wrong(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error));
  }
}

function wrong(what: string): OperatorError {
  return new OperatorError(`${what}\n\n${HELP}`);
}
