import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { z } from 'zod';
import { figure, line } from './figures.ts';

const machine = z.object({
  cpu: z.string(),
  cores: z.number(),
  /** Bytes. */
  memory: z.number(),
  system: z.string(),
  node: z.string(),
  /** Undefined when no database was used here. */
  postgresql: z.string().optional(),
});

/** What a run found, and where: the content of `results.json`. */
export const results = z.object({
  command: z.string(),
  date: z.string(),
  machine,
  figures: z.array(figure),
  lines: z.array(line),
});

export type Machine = z.output<typeof machine>;
export type Results = z.output<typeof results>;

/** Describes this machine. */
export async function describeMachine(postgresql: string | undefined): Promise<Machine> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const [, name = os.type()] = /^PRETTY_NAME="(.*)"$/m.exec(release) ?? [];
  return {
    cpu: os.cpus()[0]?.model.trim() ?? os.arch(),
    cores: os.availableParallelism(),
    memory: os.totalmem(),
    system: `${name}, kernel ${os.release()}`,
    node: process.versions.node,
    postgresql,
  };
}

/** The machine in one line. */
export function machineText({ cpu, cores, memory, system, node, postgresql }: Machine): string {
  const gibibytes = Math.round(memory / 2 ** 30);
  return `${cpu}, ${cores} cores, ${gibibytes} GiB, ${system}, Node ${node}${postgresql ? `, PostgreSQL ${postgresql}` : ''}`;
}
