import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OperatorError } from '../src/errors.ts';
import { explainFailure } from '../src/lib/explainFailure.ts';
import { drawCharts } from './charts.ts';
import type { Findings } from './figures.ts';
import { type Command, HELP, RESULTS_DIRECTORY, readCommand } from './options.ts';
import { textTable, writeIntoReadme } from './report.ts';
import { describeMachine, machineText, type Results, results } from './results.ts';
import { Stage } from './stage.ts';

const args = process.argv.slice(2);
let stage: Stage | undefined;
let isFailing = false;

/** Ends all that was started, and then the process. */
async function fail(error: unknown): Promise<void> {
  if (isFailing) return;
  isFailing = true;
  process.stderr.write(`${explainFailure(error)}\n`);
  await stage?.end().catch((failure: unknown) => process.stderr.write(`${explainFailure(failure)}\n`));
  process.exit(1);
}

async function main(): Promise<void> {
  const command = readCommand(args);
  if (command.help) {
    process.stdout.write(HELP);
    return;
  }
  if (command.url !== undefined) await assertAnswers(command.url);
  const found = results.parse(await play(command));
  process.stdout.write(`\n${machineText(found.machine)}\n\n${textTable(found.figures)}`);
  if (command.output !== undefined) await save(found, command.output);
}

async function assertAnswers(url: string): Promise<void> {
  const response = await fetch(`${url}/health/ready`).catch((cause: unknown) => {
    throw new OperatorError(`No server answers at ${url}`, { cause });
  });
  if (!response.ok) throw new OperatorError(`${url}/health/ready answers ${response.status}`);
}

/** Plays the scenarios one after the other, each on a stage of its own. */
async function play(command: Command): Promise<Results> {
  const all: Findings = { figures: [], lines: [] };
  let postgresql: string | undefined;
  for (const [index, [name, scenario]] of command.scenarios.entries()) {
    const say = (what: string) => {
      const seconds = Math.round(process.uptime()).toString().padStart(4);
      process.stderr.write(`${seconds} s  ${index + 1}/${command.scenarios.length} ${name}: ${what}\n`);
    };
    stage = new Stage(command, say);
    const { figures, lines } = await scenario(stage);
    // What the ratios must reach holds for a server that shares this machine with its floor and the load.
    all.figures.push(
      ...(command.url === undefined ? figures : figures.map((figure) => ({ ...figure, required: undefined, requiredValue: undefined }))),
    );
    all.lines.push(...lines);
    postgresql ??= await stage.postgresVersion();
    await stage.end();
  }
  const machine = await describeMachine(postgresql);
  return {
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    date: new Date().toISOString(),
    machine,
    ...all,
  };
}

/** Writes the files, and the README's figures when they are those that it shows. */
async function save(found: Results, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, 'results.json'), `${JSON.stringify(found, null, 2)}\n`);
  for (const [name, svg] of drawCharts(found)) await writeFile(path.join(directory, name), svg);
  if (path.resolve(directory) === path.resolve(RESULTS_DIRECTORY)) {
    await writeFile('README.md', writeIntoReadme(await readFile('README.md', 'utf8'), found, RESULTS_DIRECTORY));
  }
  process.stderr.write(`results.json and the charts are in ${directory}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => void fail(new OperatorError(`interrupted by ${signal}; ending what was started`)));
}
// Also what goes wrong beside the scenario, such as a connection that is cut while all is being ended.
process.on('uncaughtException', (error) => void fail(error));
main().then(
  () => process.exit(isFailing ? 1 : 0),
  (error: unknown) => fail(error),
);
