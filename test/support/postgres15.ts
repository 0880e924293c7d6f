import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/lib/freePort.ts';
import { query } from './database.ts';
import { eventually } from './eventually.ts';
import { findProgram, POSTGRES_15_PROGRAMS } from './programs.ts';

const exec = promisify(execFile);

/** Whether there is a PostgreSQL 15 to test with. In CI a missing one is a failure, elsewhere `npm test` says so at its end. */
export const isPostgres15Installed = findProgram('postgres15') !== undefined;

/** A PostgreSQL server as operators have one, on the loopback address. */
export interface Postgres15 {
  /** As its superuser. */
  url: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Starts an empty PostgreSQL 15 in a directory of its own; as root, under the account that Debian made for it. */
export async function startPostgres15(): Promise<Postgres15> {
  const account = process.getuid?.() === 0 ? { uid: await idOf('-u'), gid: await idOf('-g') } : undefined;
  const directory = await mkdtemp(path.join(tmpdir(), 'messenger-postgres-'));
  if (account) await chown(directory, account.uid, account.gid);
  const program = (name: string) => path.join(POSTGRES_15_PROGRAMS, name);
  const surroundings = { ...account, cwd: directory };
  await exec(program('initdb'), ['-D', directory, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8'], surroundings);
  const port = await freePort();
  const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
  const server = spawn(program('postgres'), ['-D', directory, '-p', `${port}`, ...settings], { ...surroundings, stdio: 'ignore' });
  const ended = once(server, 'close');
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await eventually(() => query(url, 'SELECT 1'));
  return {
    url,
    async stop() {
      server.kill('SIGINT');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function idOf(flag: string): Promise<number> {
  return Number((await exec('id', [flag, 'postgres'])).stdout);
}
