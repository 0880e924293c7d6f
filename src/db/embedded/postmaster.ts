import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import path from 'node:path';

/**
 * Where the PostgreSQL of this directory listens, by its pid file; undefined when there is none.
 * PostgreSQL sees for itself that the pid in a file left behind is dead, but not that it now belongs to something else: then the file is removed.
 */
export async function findPostmaster(directory: string): Promise<{ port: number } | undefined> {
  const pidFile = path.join(directory, 'postmaster.pid');
  const [pid, , , port] = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n').map(Number);
  if (!pid || !isAlive(pid)) return undefined;
  if (!(await mayServe(pid, directory))) {
    await rm(pidFile, { force: true });
    return undefined;
  }
  return port ? { port } : undefined;
}

/**
 * Whether a process may be the PostgreSQL of this directory, by whatever path it was started: it works in that directory.
 * Where this cannot be told, it may be: a second PostgreSQL on the same data would destroy it.
 */
async function mayServe(pid: number, directory: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  if (commandLine === undefined) return true;
  if (!commandLine.includes('postgres')) return false;
  const workingDirectory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return workingDirectory === undefined || workingDirectory === (await realpath(directory));
}

/** Whether a process with this pid runs on this machine. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
