import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { OperatorError } from '../errors.ts';

/** Makes a directory and those above it that are missing. Node's own way of it never ends where nothing can be made, as in `/proc`. */
export async function makeDirectory(directory: string): Promise<void> {
  if (await stat(directory).catch(() => undefined)) return;
  await makeDirectory(path.dirname(directory));
  await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** For what the system refuses to do in `dataDir`: tells the operator which variable it is about. */
export const unusable =
  (dataDir: string) =>
  (cause: unknown): never => {
    if (cause instanceof OperatorError) throw cause;
    throw new OperatorError(`DATA_DIR=${dataDir} cannot be used. Make it a directory that this user may write to, or set another one.`, {
      cause,
    });
  };
