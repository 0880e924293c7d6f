import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ping } from './queries.ts';

/** How long PostgreSQL may take to stop when it is asked to, in milliseconds; then it is killed. */
const STOP_TIMEOUT = 10_000;
const POLL_INTERVAL = 50;

/** The embedded PostgreSQL that the server started: its processes, seen from outside. */
export class Postgres {
  readonly #directory: string;

  constructor(dataDir: string) {
    this.#directory = path.join(dataDir, 'postgres');
  }

  /** Its address now. Rejects when it does not run. */
  async url(): Promise<string> {
    const [, , , port] = await this.#pidFile();
    if (!port) throw new Error('PostgreSQL does not run');
    const password = await readFile(path.join(this.#directory, 'messenger.password'), 'utf8');
    return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  }

  /** Whether it answers a query now. */
  async answers(): Promise<boolean> {
    try {
      await ping(await this.url());
      return true;
    } catch {
      return false;
    }
  }

  /** Kills the first of its processes; the others end for themselves. Returns its pid, undefined when there is none. */
  async kill(): Promise<number | undefined> {
    const pid = await this.pid();
    if (pid) signal(pid, 'SIGKILL');
    return pid;
  }

  /** Stops all its processes where they are: its connections stay open and answer nothing. Returns false when there are none. */
  async freeze(): Promise<boolean> {
    const pid = await this.pid();
    if (!pid) return false;
    signal(pid, 'SIGSTOP');
    for (const child of await childrenOf(pid)) signal(child, 'SIGSTOP');
    return true;
  }

  /** Lets stopped processes go on. */
  async thaw(): Promise<void> {
    const pid = await this.pid();
    if (!pid) return;
    for (const child of await childrenOf(pid)) signal(child, 'SIGCONT');
    signal(pid, 'SIGCONT');
  }

  /** Ends it, in whatever state it is, and resolves when it is gone. */
  async end(): Promise<void> {
    await this.thaw();
    const pid = await this.pid();
    if (!pid) return;
    signal(pid, 'SIGQUIT');
    for (const deadline = Date.now() + STOP_TIMEOUT; (await this.pid()) === pid; await delay(POLL_INTERVAL)) {
      if (Date.now() > deadline) {
        for (const child of await childrenOf(pid)) signal(child, 'SIGKILL');
        signal(pid, 'SIGKILL');
      }
    }
  }

  /** The pid of its first process, the postmaster; undefined when it does not run. */
  async pid(): Promise<number | undefined> {
    const [pid] = await this.#pidFile();
    if (!pid) return undefined;
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return commandLine.includes(this.#directory) ? pid : undefined;
  }

  async #pidFile(): Promise<number[]> {
    const lines = await readFile(path.join(this.#directory, 'postmaster.pid'), 'utf8').catch(() => '');
    return lines.split('\n').map(Number);
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(
    pids.map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
      // After the name in parentheses, which may hold spaces: the state and the parent.
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    }),
  );
  return pids.filter((_, index) => parents[index] === pid).map(Number);
}

/** Sends a signal to a process that may be gone. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
