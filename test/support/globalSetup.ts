import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { EmbeddedDatabase } from '../../src/db/embedded/embeddedDatabase.ts';
import { migrate } from '../../src/db/migrator.ts';
import { Database } from '../../src/db/sequelize.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { query, TEMPLATE, withDatabase } from './database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The PostgreSQL that all test files share; each makes databases of its own in it. */
    databaseUrl: string;
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
  return async () => {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
