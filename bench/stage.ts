import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { EmbeddedDatabase } from '../src/db/embedded/embeddedDatabase.ts';
import { createLogger } from '../src/lib/logger.ts';
import { createAccounts } from './accounts.ts';
import type { Account } from './client.ts';
import { Redis } from './redis.ts';
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
  /** Tells the person who waits what is being done. */
  readonly say: (what: string) => void;
  readonly #ends: (() => Promise<unknown>)[] = [];
  #database: Promise<string> | undefined;
  #ended = false;

  constructor(options: Options, say: (what: string) => void) {
    this.options = options;
    this.say = say;
  }

  /** Starts a server on the scenario's own database, or names the one that was given. */
  async server(variables: Record<string, string> = {}, nodeOptions: string[] = []): Promise<Target> {
    const { url } = this.options;
    if (url) return { url, process: undefined, accounts: (count) => createAccounts(url, count) };
    return this.#start(
      [...nodeOptions, path.resolve('dist/src/main.js')],
      {
        HOST: '127.0.0.1',
        PORT: '0',
        NODE_ENV: 'production',
        BCRYPT_ROUNDS: '4',
        RATE_LIMITS: 'off',
        // A line of it says where it listens.
        LOG_LEVEL: 'info',
        JWT_SECRET: randomUUID(),
        DATABASE_URL: await this.database(),
        ...variables,
      },
      createAccounts,
    );
  }

  /** Starts the relay. */
  relay(nodeOptions: string[] = []): Promise<Target> {
    const accounts = async (_url: string, count: number) =>
      Array.from({ length: count }, () => {
        const id = randomUUID();
        return { id, token: id };
      });
    return this.#start(['--import', 'tsx', ...nodeOptions, path.resolve('bench/relay.ts')], { NODE_ENV: 'production' }, accounts);
  }

  /** Starts a redis-server, and names its address. */
  async redis(): Promise<string> {
    this.#assertOpen();
    this.say('starting Redis');
    const starting = Redis.start(tmpdir());
    this.#ends.push(() =>
      starting.then(
        (redis) => redis.kill(),
        () => {},
      ),
    );
    return `redis://127.0.0.1:${(await starting).port}`;
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

  /** Version of the database that was used; undefined when none was. */
  async postgresVersion(): Promise<string | undefined> {
    if (!this.#database) return undefined;
    const client = new pg.Client({ connectionString: await this.#database });
    await client.connect();
    const { rows } = await client.query<{ version: string }>("SELECT split_part(current_setting('server_version'), ' ', 1) AS version");
    await client.end();
    return rows[0]?.version;
  }

  /** Ends all that was started, the last first, also what is just starting; nothing starts after. Rejects with what could not be ended. */
  async end(): Promise<void> {
    this.#ended = true;
    const failures: unknown[] = [];
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'not everything that was started could be ended');
  }

  async #start(
    args: string[],
    variables: Record<string, string>,
    accountsAt: (url: string, count: number) => Promise<Account[]>,
  ): Promise<Target> {
    this.#assertOpen();
    const target = new TargetProcess(args, variables);
    this.#ends.push(() => target.stop());
    const url = await target.url;
    return { url, process: target, accounts: (count) => accountsAt(url, count) };
  }

  async #startDatabase(): Promise<string> {
    const { url, database } = this.options;
    if (database) return database;
    if (url) throw new Error('this scenario fills the database of the server: name it with --database');
    this.#assertOpen();
    this.say('starting PostgreSQL');
    const making = mkdtemp(path.join(tmpdir(), 'messenger-bench-'));
    this.#ends.push(async () => rm(await making, { recursive: true, force: true }));
    const directory = await making;
    await chmod(directory, 0o755);
    this.#assertOpen();
    const starting = EmbeddedDatabase.start(directory, createLogger('silent'));
    this.#ends.push(() =>
      starting.then(
        (embedded) => embedded.stop(),
        () => {},
      ),
    );
    return (await starting).url;
  }

  #assertOpen(): void {
    if (this.#ended) throw new Error('the benchmark is ending');
  }
}
