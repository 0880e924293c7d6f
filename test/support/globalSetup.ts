import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { EmbeddedDatabase } from '../../src/db/embedded/embeddedDatabase.ts';
import { migrate } from '../../src/db/migrator.ts';
import { Database } from '../../src/db/sequelize.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { query, TEMPLATE, withDatabase } from './database.ts';
import { secretsBelow } from './logs.ts';
import { leftOut } from './programs.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The PostgreSQL that all test files share; each makes databases of its own in it. */
    databaseUrl: string;
    /** Where all servers under test write their logs, which are searched in the end. */
    logDirectory: string;
  }
}

/** Starts one PostgreSQL for all tests, with a migrated database to copy. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'messenger-test-'));
  await chmod(directory, 0o755);
  const postgres = await EmbeddedDatabase.start(directory, createLogger('silent'));
  await query(postgres.url, `CREATE DATABASE ${TEMPLATE}`);
  const database = new Database(withDatabase(postgres.url, TEMPLATE));
  await migrate(database);
  await database.close();
  project.provide('databaseUrl', postgres.url);
  const logDirectory = await mkdtemp(path.join(directory, 'logs-'));
  project.provide('logDirectory', logDirectory);
  return async () => {
    await postgres.stop();
    const secrets = await secretsBelow(logDirectory);
    await rm(directory, { recursive: true, force: true });
    // Each project has a setup of its own: one of them says it.
    const line = project === project.vitest.projects[0] ? leftOut() : undefined;
    if (line) process.stderr.write(`${line}\n`);
    if (secrets.length > 0) {
      // Of an error here Vitest tells, but it would end with 0.
      process.exitCode = 1;
      throw new Error(`Logs of the servers under test hold what no log may hold:\n${secrets.join('\n')}`);
    }
  };
}
