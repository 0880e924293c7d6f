import { provideDatabase } from '../db/provide.ts';
import { Database } from '../db/sequelize.ts';
import { type Env, readEnv } from '../env.ts';
import { explainFailure } from '../lib/explainFailure.ts';
import { createLogger } from '../lib/logger.ts';

/** Prints a line for the person at the terminal. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Runs a command on the server's database, also beside a running server, and ends the process:
 * with 0, or with 1 and the reason when it fails.
 */
export async function runOnDatabase(work: (database: Database, env: Env) => Promise<void>): Promise<never> {
  try {
    const env = readEnv();
    const provided = await provideDatabase(env, createLogger(env.LOG_LEVEL), { share: true });
    const database = new Database(provided.url);
    try {
      await work(database, env);
    } finally {
      await database.close();
      await provided.stop();
    }
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`);
    process.exit(1);
  }
}
