import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const memoryUsage = z.object({ rss: z.number(), heapUsed: z.number(), external: z.number() });

/** Options of Node for a process whose `collectedMemory` is asked for. */
export const MEMORY_PROBE = ['--expose-gc', '--import', path.resolve('bench/memoryProbe.js')];
/** How long a process may take to stop when it is asked to, in milliseconds; then it is killed. */
const STOP_TIMEOUT = 12_000;

/** Bytes of memory that a process has in use; undefined where there is no /proc. */
export async function memoryOf(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(status ?? '') ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** A process under load. */
export class TargetProcess {
  /** Resolves with its address when it has printed where it listens. */
  readonly url: Promise<string>;
  readonly #child;

  /** Starts a Node program. Always `stop` it, also when it never listened. */
  constructor(args: string[], variables: Record<string, string>) {
    // A group of its own: at Ctrl-C it is ended by the benchmark, in order, and not by the terminal in the midst of a load.
    this.#child = spawn(process.execPath, args, { env: variables, stdio: ['ignore', 'pipe', 'inherit', 'ipc'], detached: true });
    const { stdout } = this.#child;
    this.url = new Promise<string>((resolve, reject) => {
      let printed = '';
      stdout?.on('data', (chunk) => {
        printed += String(chunk);
        const [, port] = /http:\/\/[\w.]+:(\d+)[\s"]/.exec(printed) ?? [];
        if (port) resolve(`http://127.0.0.1:${port}`);
      });
      this.#child.on('error', reject);
      this.#child.on('exit', () => reject(new Error(`${args.join(' ')} ended before it listened: ${printed}`)));
    });
  }

  /** Seconds of processor time so far; undefined where there is no /proc. */
  async cpuSeconds(): Promise<number | undefined> {
    const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'utf8').catch(() => undefined);
    // After the name in parentheses, which may hold spaces: fields 14 and 15 of the whole, in hundredths of a second.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields && (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Bytes of memory in use; undefined where there is no /proc. */
  memory(): Promise<number | undefined> {
    return memoryOf(this.#child.pid);
  }

  /** What the process holds, in bytes, after its garbage was collected. It must have been started with `MEMORY_PROBE`. */
  async collectedMemory(): Promise<z.output<typeof memoryUsage>> {
    const answered = once(this.#child, 'message');
    this.#child.send('memory');
    const [answer] = await answered;
    return memoryUsage.parse(answer);
  }

  /** Asks the process to stop and waits until it is gone. */
  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT);
    this.#child.kill('SIGTERM');
    await exited;
    clearTimeout(deadline);
  }
}
