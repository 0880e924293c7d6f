import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { inject } from 'vitest';
import { z } from 'zod';

/** Stands in what tests of logs send as a message, a name, a search or anything else that people write. */
export const MARKER = 'for-your-eyes-only';
/** The same for passwords. */
export const PASSWORD_MARKER = 'open-sesame';

/** What no log may hold. Of passwords and messages, what tests send most, and where it is most likely to be caught. */
const SECRETS = [
  // A token, an e-mail address or a password of a database.
  /eyJ[\w-]+\.[\w-]+/,
  /[\w.+-]+@[\w-]+\.\w/,
  /Bearer \S|correct horse|another password|nobody may read this/,
  /Hello|In flight|In time|Too late|DROP TABLE messages/,
  new RegExp(`${MARKER}|${PASSWORD_MARKER}`),
];

const line = z.looseObject({ level: z.number(), msg: z.string() });
export type LogLine = z.output<typeof line>;

/** A file for the log of one more server. */
export function newLogFile(): string {
  return path.join(inject('logDirectory'), `${randomUUID()}.log`);
}

/** What a server has logged by now. */
export async function readLog({ logFile }: { logFile: string }): Promise<LogLine[]> {
  const lines = (await readFile(logFile, 'utf8')).trim().split('\n');
  return lines.map((text) => line.parse(JSON.parse(text)));
}

/** The lines of a log that hold what none may hold. */
export async function secretsIn(logFile: string): Promise<string[]> {
  const lines = (await readFile(logFile, 'utf8')).split('\n');
  return lines.filter((text) => SECRETS.some((secret) => secret.test(text)));
}

/** The same of all logs in a directory. */
export async function secretsBelow(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return (await Promise.all(names.map((name) => secretsIn(path.join(directory, name))))).flat();
}
