import { type App, createApp } from '../../src/app.ts';
import { parseEnv } from '../../src/env.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { newDatabase } from './database.ts';
import { newLogFile } from './logs.ts';

/** A server under test. */
export interface TestServer {
  /** `http://127.0.0.1:port` */
  url: string;
  databaseUrl: string;
  /** What it logs, at every level. */
  logFile: string;
  app: App;
}

/** What servers under test sign tokens with. */
export const JWT_SECRET = 'a secret of tests, which is long enough to sign with';

const DEFAULTS = {
  HOST: '127.0.0.1',
  PORT: '0',
  BCRYPT_ROUNDS: '4',
  JWT_SECRET,
  RATE_LIMITS: 'off',
  LOG_LEVEL: 'trace',
};

/** A server that is not started yet. Without `databaseUrl` it gets a database of its own. */
export async function newServer(variables: Record<string, string> = {}, databaseUrl?: string): Promise<Omit<TestServer, 'url'>> {
  const env = parseEnv({ ...DEFAULTS, ...variables });
  const database = databaseUrl ?? (await newDatabase());
  const logFile = newLogFile();
  const app = await createApp(env, database, createLogger(env.LOG_LEVEL, logFile));
  return { databaseUrl: database, logFile, app };
}

/** Starts a real server on a port of its own. Stop it with `app.stop()`. */
export async function startServer(variables?: Record<string, string>, databaseUrl?: string): Promise<TestServer> {
  const server = await newServer(variables, databaseUrl);
  return { url: `http://127.0.0.1:${await server.app.start()}`, ...server };
}
