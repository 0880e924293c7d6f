import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Env } from '../../env.ts';
import { OperatorError } from '../../errors.ts';
import { makeDirectory, unusable } from '../../lib/dataDir.ts';

/** Bytes that a secret has at least, as `JWT_SECRET` must. */
const MIN_LENGTH = 32;

/**
 * The secret that signs tokens: JWT_SECRET, or one that is made once and kept in DATA_DIR. Of several servers that make one at once, one wins.
 * @throws {OperatorError} when it cannot be kept, or what is kept is no secret
 */
export async function signingSecret({ JWT_SECRET, DATA_DIR }: Env): Promise<string> {
  return JWT_SECRET ?? keptSecret(DATA_DIR).catch(unusable(DATA_DIR));
}

async function keptSecret(dataDir: string): Promise<string> {
  const file = path.join(dataDir, 'jwt.secret');
  const secret = await readFile(file, 'utf8').catch(() => makeSecret(file));
  // An empty key signs as well as any, and everybody has it.
  if (Buffer.byteLength(secret) < MIN_LENGTH) {
    throw new OperatorError(`${file} is cut short. Remove it: the next start makes another one, and everybody logs in again.`);
  }
  return secret;
}

/** Whole from the moment that it has its name, also when the machine loses its power. */
async function makeSecret(file: string): Promise<string> {
  await makeDirectory(path.dirname(file));
  const draft = `${file}-${randomBytes(6).toString('hex')}`;
  await writeFile(draft, randomBytes(MIN_LENGTH).toString('hex'), { mode: 0o600, flush: true });
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return readFile(file, 'utf8');
}
