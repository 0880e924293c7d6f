import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Env } from '../../env.ts';
import { makeDirectory, unusable } from '../../lib/dataDir.ts';

/**
 * The secret that signs tokens: JWT_SECRET, or one that is made once and kept in DATA_DIR. Of several servers that make one at once, one wins.
 * @throws {OperatorError} when it cannot be kept
 */
export async function signingSecret({ JWT_SECRET, DATA_DIR }: Env): Promise<string> {
  return JWT_SECRET ?? keptSecret(DATA_DIR).catch(unusable(DATA_DIR));
}

async function keptSecret(dataDir: string): Promise<string> {
  const file = path.join(dataDir, 'jwt.secret');
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept) return kept;
  await makeDirectory(dataDir);
  const draft = `${file}-${randomBytes(6).toString('hex')}`;
  await writeFile(draft, randomBytes(32).toString('hex'), { mode: 0o600 });
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return readFile(file, 'utf8');
}
