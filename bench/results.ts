import { readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import { z } from 'zod';
import { figure, line } from './figures.ts';

const machine = z.object({
  cpu: z.string(),
  cores: z.number(),
  /** Bytes. */
  memory: z.number(),
  system: z.string(),
  /** Where the database's files are. */
  fileSystem: z.string(),
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

/** File systems by the number that the system calls them. In `tmpfs` nothing is written to a disk. */
const FILE_SYSTEMS = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlayfs'],
  [0x01021994, 'tmpfs'],
]);

/** Describes this machine. */
export async function describeMachine(postgresql: string | undefined): Promise<Machine> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const [, name = os.type()] = /^PRETTY_NAME="(.*)"$/m.exec(release) ?? [];
  const { type } = await statfs(os.tmpdir());
  return {
    cpu: os.cpus()[0]?.model.trim() ?? os.arch(),
    cores: os.availableParallelism(),
    memory: os.totalmem(),
    system: `${name}, kernel ${os.release()}`,
    fileSystem: FILE_SYSTEMS.get(type) ?? `file system 0x${type.toString(16)}`,
    node: process.versions.node,
    postgresql,
  };
}

/** The machine in one line. */
export function machineText({ cpu, cores, memory, system, fileSystem, node, postgresql }: Machine): string {
  const gibibytes = Math.round(memory / 2 ** 30);
  return `${cpu}, ${cores} cores, ${gibibytes} GiB, ${system}, Node ${node}${postgresql ? `, PostgreSQL ${postgresql} on ${fileSystem}` : ''}`;
}
