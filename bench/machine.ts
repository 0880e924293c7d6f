import { cpus, release, totalmem, type } from 'node:os';

/** Where figures were measured: they are worth nothing without it. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
}

/** Describes the machine that this process runs on. */
export function describeMachine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
  };
}

/** The description as one line of text. */
export function machineLine({ processor, cores, memoryGiB, system, node }: Machine): string {
  return `${cores} × ${processor}, ${memoryGiB} GiB, ${system}, Node ${node}`;
}
