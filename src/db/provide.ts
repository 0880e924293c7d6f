import type { Env } from '../env.ts';
import type { Logger } from '../lib/logger.ts';

/** A database to work on, and how to let go of it. */
export interface ProvidedDatabase {
  url: string;
  /** Whether it is the embedded one. */
  embedded: boolean;
  stop(): Promise<void>;
}

/**
 * The database at DATABASE_URL, or the embedded one under DATA_DIR.
 * A server wants the embedded one to itself; a command uses it beside a running server, with `share`.
 */
export async function provideDatabase(env: Env, logger: Logger, { share = false } = {}): Promise<ProvidedDatabase> {
  if (env.DATABASE_URL) return { url: env.DATABASE_URL, embedded: false, stop: async () => {} };
  const { EmbeddedDatabase } = await import('./embedded/embeddedDatabase.ts');
  const database = await EmbeddedDatabase.start(env.DATA_DIR, logger, { share, processes: env.WORKERS });
  return { url: database.url, embedded: true, stop: () => database.stop() };
}
