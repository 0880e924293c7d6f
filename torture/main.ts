import { OperatorError } from '../src/errors.ts';
import { explainFailure } from '../src/lib/explainFailure.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { Stage } from './stage.ts';
import { torture } from './torture.ts';

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
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  if (process.platform !== 'linux') throw new OperatorError('torture needs Linux: it finds the processes of PostgreSQL in /proc');
  await run(options);
}

async function run(options: Options): Promise<void> {
  const say = (what: string) => process.stderr.write(`${Math.round(process.uptime()).toString().padStart(5)} s  ${what}\n`);
  say(
    `seed ${options.seed}: npm run torture -- --nodes ${options.nodes} --minutes ${options.minutes} --seed ${options.seed} plays the same faults again`,
  );
  stage = new Stage();
  const { text, holds } = await torture(stage, options, say);
  await stage.end();
  process.stdout.write(`\nseed ${options.seed}\n${text}`);
  if (!holds) process.exitCode = 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => void fail(new OperatorError(`interrupted by ${signal}; ending what was started`)));
}
process.on('uncaughtException', (error) => void fail(error));
main().then(
  () => process.exit(isFailing ? 1 : process.exitCode),
  (error: unknown) => fail(error),
);
