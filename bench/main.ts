import { parseArgs } from 'node:util';
import type { Findings } from './figures.ts';
import { writeReport } from './report.ts';
import { scenarios } from './scenarios/index.ts';
import { type Options, Stage } from './stage.ts';

const HELP = `npm run bench -- [options] [scenario…]

Measures the server against a plain relay, or a large database against a small one, in one run. All scenarios, or those named:
  ${[...scenarios.keys()].join(' ')}

  --seconds N       how long each figure is measured (default 9)
  --quick           small data, few connections, a second for each figure: shows that everything runs, measures nothing
  --url URL         measures a server that runs already; start it with RATE_LIMITS=off
  --database URL    the PostgreSQL of that server, which chats, history and search fill
  --output DIR      where results.json and the charts go (default bench/results)
`;

interface Command extends Options {
  names: string[];
  output: string;
}

function readCommand(): Command | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      url: { type: 'string' },
      database: { type: 'string' },
      output: { type: 'string', default: 'bench/results' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const unknown = positionals.filter((name) => !scenarios.has(name));
  if (unknown.length > 0) throw new Error(`There is no scenario ${unknown.join(', ')}. There are: ${[...scenarios.keys()].join(', ')}`);
  const seconds = Number(values.seconds ?? (values.quick ? 1 : 9));
  if (!(seconds > 0)) throw new Error('--seconds must be a number above 0');
  const { quick, url, database, output } = values;
  return { names: positionals.length > 0 ? positionals : [...scenarios.keys()], seconds, quick, url, database, output };
}

async function run({ names, output, ...options }: Command, onStage: (stage: Stage) => void): Promise<void> {
  const findings: Findings = { figures: [], lines: [] };
  for (const name of names) {
    const stage = new Stage(options);
    onStage(stage);
    try {
      const found = await scenarios.get(name)?.(stage);
      findings.figures.push(...(found?.figures ?? []));
      findings.lines.push(...(found?.lines ?? []));
    } finally {
      await stage.end();
    }
  }
  await writeReport(findings, output);
}

async function main(): Promise<void> {
  let stage: Stage | undefined;
  const onSignal = () => {
    process.stderr.write('\nstopping\n');
    const ended = stage?.end() ?? Promise.resolve();
    ended.finally(() => process.exit(1));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const command = readCommand();
  if (command) {
    await run(command, (current) => {
      stage = current;
    });
  } else process.stdout.write(HELP);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  },
);
