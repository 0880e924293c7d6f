import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { newLogFile } from './logs.ts';
import { endScripts } from './script.ts';

/** The built server; `npm test` builds it. */
export const MAIN = path.resolve('dist/src/main.js');
/** How long a server may take until it can serve, in milliseconds. */
const TIMEOUT = 90_000;

export interface Surroundings {
  /** What to run, from another place than usual. */
  main?: string;
  cwd?: string;
  uid?: number;
  gid?: number;
}

const directories: string[] = [];
const dataDirs = new Set<string>();
const processes: ServerProcess[] = [];

/** A directory that every user may enter, and that is gone after `sweep`. */
export async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'messenger-process-'));
  await chmod(directory, 0o755);
  directories.push(directory);
  return directory;
}

/** The PostgreSQL that runs on the data below this DATA_DIR; undefined when there is none. */
export async function postmaster(dataDir: string): Promise<{ pid: number; port: number } | undefined> {
  const [pid, , , port] = (await readFile(path.join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => ''))
    .split('\n')
    .map(Number);
  return pid && port && (await isOurs(pid)) ? { pid, port } : undefined;
}

/** Whether the pid in the file of a PostgreSQL that was started here is still its own. It cannot be told without `/proc`. */
async function isOurs(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return [...dataDirs].some((dataDir) => command.includes(path.join(dataDir, 'postgres')));
}

/** The address of the PostgreSQL that runs below this DATA_DIR. */
export async function embeddedUrl(dataDir: string): Promise<string> {
  const running = await postmaster(dataDir);
  const password = await readFile(path.join(dataDir, 'postgres', 'messenger.password'), 'utf8');
  return `postgres://postgres:${password}@127.0.0.1:${running?.port}/postgres`;
}

/** A server as its operator runs it: a process of its own, with nothing but the given variables in its environment. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  /** What it printed. */
  stdout = '';
  stderr = '';

  constructor(dataDir: string, variables: Record<string, string> = {}, { main = MAIN, cwd = dataDir, uid, gid }: Surroundings = {}) {
    const { PATH = '' } = process.env;
    this.#child = spawn(process.execPath, [main], {
      cwd,
      env: { PATH, HOME: dataDir, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'trace', BCRYPT_ROUNDS: '4', DATA_DIR: dataDir, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? undefined : { uid }),
      ...(gid === undefined ? undefined : { gid }),
    });
    this.#child.stdout?.on('data', (chunk) => {
      this.stdout += String(chunk);
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.stderr += String(chunk);
    });
    this.#closed = once(this.#child, 'close').then(() => writeFile(newLogFile(), this.stdout + this.stderr));
    processes.push(this);
    dataDirs.add(dataDir);
  }

  get pid(): number {
    if (!this.#child.pid) throw new Error('the server was not even started');
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Where it says that it listens. */
  get url(): string {
    const port = /listening on http:\/\/localhost:(\d+)/.exec(this.stdout)?.[1];
    if (!port) throw new Error(`the server does not say where it listens\n${this.stdout}${this.stderr}`);
    return `http://127.0.0.1:${port}`;
  }

  /** Waits until it can serve; rejects when it ends instead. */
  async ready(): Promise<this> {
    await vi.waitFor(
      async () => {
        if (!this.running) return;
        const { status } = await fetch(`${this.url}/health/ready`);
        if (status !== 200) throw new Error(`the server is not ready: ${status}`);
      },
      { timeout: TIMEOUT, interval: 20 },
    );
    if (!this.running) throw new Error(`the server ended\n${this.stdout}${this.stderr}`);
    return this;
  }

  /** Waits for its end and returns the exit code, or the signal that ended it. */
  async exit(): Promise<number | string | null> {
    await this.#closed;
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  /** Sends a signal, if it still runs. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Asks it to end in order, and returns the exit code. */
  stop(): Promise<number | string | null> {
    this.signal('SIGTERM');
    return this.exit();
  }

  /** Ends it as a power cut does. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exit();
  }
}

/** Starts a server and waits until it can serve. */
export function startProcess(dataDir: string, variables?: Record<string, string>, surroundings?: Surroundings): Promise<ServerProcess> {
  return new ServerProcess(dataDir, variables, surroundings).ready();
}

/** Ends every script and every server that was started here and its PostgreSQL, and removes the directories. Give it to `afterAll`. */
export async function sweep(): Promise<void> {
  await endScripts();
  const stopping = processes.splice(0).filter(({ running }) => running);
  await Promise.all(stopping.map((server) => server.stop()));
  for (const dataDir of dataDirs) {
    const left = await postmaster(dataDir);
    if (left) endIfAlive(left.pid);
  }
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true, maxRetries: 10 });
}

function endIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGQUIT');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
