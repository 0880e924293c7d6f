import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** Options of Node for a process that can be asked to collect garbage. */
export const COLLECTABLE = ['--expose-gc', '--import', path.resolve('bench/collectGarbage.js')];

/** A process under load. */
export class TargetProcess {
  /** Where it listens. */
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** Starts a Node program and resolves when it has printed where it listens. */
  static async start(args: string[], variables: Record<string, string>): Promise<TargetProcess> {
    const child = spawn(process.execPath, args, { env: variables, stdio: ['ignore', 'pipe', 'inherit'] });
    const port = await new Promise<string>((resolve, reject) => {
      let printed = '';
      child.stdout.on('data', (chunk) => {
        printed += String(chunk);
        const [, found] = /http:\/\/[\w.]+:(\d+)\s/.exec(printed) ?? [];
        if (found) resolve(found);
      });
      child.on('exit', () => reject(new Error(`${args.join(' ')} ended before it listened: ${printed}`)));
    });
    return new TargetProcess(`http://127.0.0.1:${port}`, child);
  }

  /** Seconds of processor time so far; undefined where there is no /proc. */
  async cpuSeconds(): Promise<number | undefined> {
    const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'utf8').catch(() => undefined);
    // After the name in parentheses, which may hold spaces: fields 14 and 15 of the whole, in hundredths of a second.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields && (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Has garbage collected by a process that was started with `COLLECTABLE`; resolves when that is done. */
  async collectGarbage(): Promise<void> {
    this.#child.kill('SIGUSR2');
    // A process answers when it is done with what came before.
    for (let times = 0; times < 3; times++) await (await fetch(`${this.url}/health/live`)).arrayBuffer();
  }

  /** Bytes of memory in use; undefined where there is no /proc. */
  async memory(): Promise<number | undefined> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8').catch(() => undefined);
    const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(status ?? '') ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
