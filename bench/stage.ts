import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { EmbeddedDatabase } from '../src/db/embedded/embeddedDatabase.ts';
import { createLogger } from '../src/lib/logger.ts';
import { createAccounts } from './accounts.ts';
import type { Account } from './client.ts';
import { TargetProcess } from './target.ts';

/** What is under load: the server, or the relay that is its floor. */
export interface Target {
  url: string;
  /** Undefined for a server that was not started here. */
  process: TargetProcess | undefined;
  /** Makes people who can connect. */
  accounts(count: number): Promise<Account[]>;
}

export interface Options {
  /** How long a figure is measured. */
  seconds: number;
  /** Small data and few connections: to see that everything runs, not to measure. */
  quick: boolean;
  /** A running server to measure instead of one of our own, and its database. */
  url: string | undefined;
  database: string | undefined;
}

/** What one scenario plays on: starts what it asks for, and ends it all. */
export class Stage {
  readonly options: Options;
  readonly #ends: (() => Promise<void>)[] = [];
  #database: Promise<string> | undefined;

  constructor(options: Options) {
    this.options = options;
  }

  /** Starts a server on the scenario's own database, or names the one that was given. */
  async server(variables: Record<string, string> = {}, nodeOptions: string[] = []): Promise<Target> {
    const { url } = this.options;
    if (url) return { url, process: undefined, accounts: (count) => createAccounts(url, count) };
    const server = await TargetProcess.start([...nodeOptions, path.resolve('dist/src/main.js')], {
      HOST: '127.0.0.1',
      PORT: '0',
      NODE_ENV: 'production',
      BCRYPT_ROUNDS: '4',
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'warn',
      JWT_SECRET: randomUUID(),
      DATABASE_URL: await this.database(),
      ...variables,
    });
    this.#ends.push(() => server.stop());
    return { url: server.url, process: server, accounts: (count) => createAccounts(server.url, count) };
  }

  /** Starts the relay. */
  async relay(nodeOptions: string[] = []): Promise<Target> {
    const relay = await TargetProcess.start(['--import', 'tsx', ...nodeOptions, path.resolve('bench/relay.ts')], {
      NODE_ENV: 'production',
    });
    this.#ends.push(() => relay.stop());
    const accounts = async (count: number) =>
      Array.from({ length: count }, () => {
        const id = randomUUID();
        return { id, token: id };
      });
    return { url: relay.url, process: relay, accounts };
  }

  /** The address of the database that the server works on. */
  database(): Promise<string> {
    this.#database ??= this.#startDatabase();
    return this.#database;
  }

  /** Opens a connection to the database, to fill it with more than clients could write in good time. */
  async connectDatabase(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: await this.database() });
    await client.connect();
    this.#ends.push(() => client.end());
    return client;
  }

  /** Tells the person who waits what is being done. */
  say(what: string): void {
    process.stderr.write(`${what} …\n`);
  }

  /** Ends all that was started, the last first. */
  async end(): Promise<void> {
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) await end();
  }

  async #startDatabase(): Promise<string> {
    const { url, database } = this.options;
    if (database) return database;
    if (url) throw new Error('this scenario fills the database of the server: name it with --database');
    const directory = await mkdtemp(path.join(tmpdir(), 'messenger-bench-'));
    this.#ends.push(() => rm(directory, { recursive: true, force: true }));
    await chmod(directory, 0o755);
    const embedded = await EmbeddedDatabase.start(directory, createLogger('silent'));
    this.#ends.push(() => embedded.stop());
    return embedded.url;
  }
}
