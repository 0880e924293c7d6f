import { parseArgs } from 'node:util';
import { OperatorError } from '../src/errors.ts';
import { ANSWER_WITHIN, LOG_LINES_PER_FAULT, WELL_WITHIN } from './bounds.ts';

const MINUTES = 10;
const MAX_NODES = 9;
const MAX_SEED = 0x7fffffff;

export const HELP = `npm run torture -- [options]

Runs a server of its own, or several, on a PostgreSQL of its own under load, injects faults, and then checks every conversation against what the
clients saw. Ends with 1 when anything did not hold: also when a request waited longer than ${ANSWER_WITHIN} ms, all was not well
${WELL_WITHIN} ms after a fault, or the server logged more than ${LOG_LINES_PER_FAULT} lines of one. It listens on the loopback address alone. Linux only;
the full disk is a tmpfs, which only root can mount: for others that fault is left out.

  --minutes N        how long faults are injected (${MINUTES}), and on until each kind has struck; the end takes up to a minute more
  --nodes N          so many servers, up to ${MAX_NODES}, which clients move between; with more than one on a redis-server of its own (1)
  --seed N           plays the faults of an earlier run again: their order, times and sizes
  --help             prints this
`;

export interface Options {
  minutes: number;
  nodes: number;
  seed: number;
  help: boolean;
}

/**
 * Reads the command line.
 * @throws {OperatorError} when it is wrong, with what there is
 */
export function readOptions(args: string[]): Options {
  const { values } = parse(args);
  const minutes = Number(values.minutes ?? MINUTES);
  if (!(minutes > 0)) throw wrong('--minutes takes a number above 0.');
  const nodes = Number(values.nodes ?? 1);
  if (!(Number.isInteger(nodes) && nodes >= 1 && nodes <= MAX_NODES)) throw wrong(`--nodes takes a whole number from 1 to ${MAX_NODES}.`);
  const seed = Number(values.seed ?? Math.floor(Math.random() * MAX_SEED));
  if (!(Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED)) throw wrong(`--seed takes a whole number from 0 to ${MAX_SEED}.`);
  return { minutes, nodes, seed, help: values.help };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        minutes: { type: 'string' },
        nodes: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function wrong(what: string): OperatorError {
  return new OperatorError(`${what}\n\n${HELP}`);
}
