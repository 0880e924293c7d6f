import { randomBytes } from 'node:crypto';
import { appendFile, chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { OperatorError } from '../../errors.ts';
import { makeDirectory, unusable } from '../../lib/dataDir.ts';
import { freePort } from '../../lib/freePort.ts';
import type { Logger } from '../../lib/logger.ts';
import { LogThrottle } from '../../lib/logThrottle.ts';
import { CONNECTIONS_OF_PROCESS } from '../sequelize.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import { findPostmaster, isAlive } from './postmaster.ts';

/** Held by the server that owns the embedded database, for as long as it lives. */
const OWNER_LOCK = 7_301_925;
/** How long a start waits for another server on the same data to be gone, in milliseconds. */
const OWNER_TIMEOUT = 5_000;
/** How long PostgreSQL may take to come up, in milliseconds; recovery after a crash may take longer. */
const START_TIMEOUT = 30_000;
const POLL_INTERVAL = 100;
/** In the cluster's directory. */
const PASSWORD_FILE = 'messenger.password';
const SETTINGS = "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n";
/** Given at each start, so that data of earlier versions has them too: details and statements hold what people wrote. */
const LOG_OPTIONS = '-c log_error_verbosity=terse -c log_min_error_statement=panic';
/** Connections that PostgreSQL has by itself: enough for a process of the server, and for the commands beside it. */
const CONNECTIONS = 100;

/**
 * A PostgreSQL under `<dataDir>/postgres`, on the loopback address and a free port, with a generated password.
 *
 * It is a process of its own that outlives a killed server; the next one takes it over. An advisory lock in it says whose it is:
 * the lock ends with the connection that holds it, so it can be neither stale nor held twice.
 */
export class EmbeddedDatabase {
  readonly #directory: string;
  readonly #binaries: Binaries;
  readonly #connections: number;
  readonly #logger: Logger;
  #password = '';
  #port: number | undefined;
  #owner: pg.Client | undefined;
  #recovery: Promise<void> | undefined;
  #stopping = false;

  private constructor(directory: string, binaries: Binaries, connections: number, logger: Logger) {
    this.#directory = directory;
    this.#binaries = binaries;
    this.#connections = connections;
    this.#logger = logger;
  }

  /**
   * Starts the database, or finds it running, and owns it until `stop`.
   * With `share`, one that a running server owns is used beside it and left running. `processes` of the server find a connection in it;
   * one that was running before has as many as it was started with.
   * @throws {OperatorError} when another server owns it, without `share`, and nothing of it is touched; or when `dataDir` cannot be used
   */
  static async start(dataDir: string, logger: Logger, { share = false, processes = 1 } = {}): Promise<EmbeddedDatabase> {
    const directory = path.join(dataDir, 'postgres');
    await makeDirectory(dataDir).catch(unusable(dataDir));
    const connections = CONNECTIONS + (processes - 1) * CONNECTIONS_OF_PROCESS;
    const database = new EmbeddedDatabase(directory, await findBinaries(directory), connections, logger);
    await database.#initialise(dataDir).catch(unusable(dataDir));
    await database.#acquire(share);
    return database;
  }

  get url(): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.#port}/postgres`;
  }

  /** Stops PostgreSQL when this process owns it. The lock is held to the end, so that no other server starts in between. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (!this.#owner) return;
    await this.#recovery;
    if (await findPostmaster(this.#directory)) await this.#binaries.run('pg_ctl', ['stop', '-D', this.#directory, '-m', 'fast', '-w']);
  }

  async #initialise(dataDir: string): Promise<void> {
    await this.#clearUp(dataDir);
    if (!(await stat(this.#directory).catch(() => undefined))) {
      const workshop = await mkdtemp(`${this.#directory}-new-${process.pid}-`);
      await this.#build(workshop).finally(() => rm(workshop, { recursive: true, force: true }));
    }
    this.#password = await readFile(path.join(this.#directory, PASSWORD_FILE), 'utf8').catch((cause: unknown) => {
      throw new OperatorError(`${dataDir} is not readable by this user, or was not made by this server. Choose another DATA_DIR.`, {
        cause,
      });
    });
  }

  /**
   * Removes the workshops of starts that were killed. Each has the pid of its start in its name, but for those of earlier versions;
   * this process's own was an earlier one's, as in a container that was started again.
   */
  async #clearUp(dataDir: string): Promise<void> {
    for (const name of await readdir(dataDir)) {
      const workshop = /^postgres-new-(?:(\d+)-)?/.exec(name);
      const pid = Number(workshop?.[1]);
      if (!workshop || (pid !== process.pid && isAlive(pid))) continue;
      // What an `initdb` that outlived its start still writes there is left to the next start.
      await rm(path.join(dataDir, name), { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) =>
        this.#logger.warn(error, 'what a start that was killed has left cannot be removed'),
      );
    }
  }

  /** Makes the cluster aside and moves it into place whole: a start that is cut off leaves nothing half made, and of two at once one wins. */
  async #build(workshop: string): Promise<void> {
    const cluster = path.join(workshop, 'cluster');
    const passwordFile = path.join(workshop, 'password');
    const password = randomBytes(24).toString('hex');
    await writeFile(passwordFile, password);
    await this.#binaries.own(async (uid, gid) => {
      await chown(passwordFile, uid, gid);
      await chown(workshop, uid, gid);
    });
    await this.#binaries.run('initdb', [
      ...['-D', cluster, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
      ...['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'],
      `--lc-ctype=${process.platform === 'linux' ? 'C.UTF-8' : 'en_US.UTF-8'}`,
    ]);
    // On the disk before the cluster has its name: without the password nobody gets in again.
    await appendFile(path.join(cluster, 'postgresql.conf'), SETTINGS, { flush: true });
    await writeFile(path.join(cluster, PASSWORD_FILE), password, { mode: 0o600, flush: true });
    await rename(cluster, this.#directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }

  async #acquire(share: boolean): Promise<void> {
    let unreachableSince: number | undefined;
    let refusedSince: number | undefined;
    for (;;) {
      try {
        if (await this.#claim(share)) return;
        refusedSince ??= Date.now();
      } catch (error) {
        if (unreachableSince === undefined || isRecovering(error)) unreachableSince = Date.now();
        if (Date.now() - unreachableSince > START_TIMEOUT) {
          const log = path.join(this.#directory, 'server.log');
          throw new OperatorError(`The embedded PostgreSQL does not start; its log is ${log}`, { cause: error });
        }
      }
      if (refusedSince !== undefined && Date.now() - refusedSince > OWNER_TIMEOUT) {
        throw new OperatorError(`Another server is running on the data in ${path.dirname(this.#directory)}. Stop it, or set DATA_DIR.`);
      }
      await delay(POLL_INTERVAL);
    }
  }

  /** Connects and asks for the lock: true when there is no more to do, false when another server has it. */
  async #claim(share: boolean): Promise<boolean> {
    const client = await this.#connect();
    const { rows } = await client.query<{ owner: boolean }>('SELECT pg_try_advisory_lock($1) AS owner', [OWNER_LOCK]);
    if (rows[0]?.owner) {
      this.#keep(client);
      return true;
    }
    await client.end();
    return share;
  }

  /** Holds the lock's connection. When it ends unasked, PostgreSQL died or restarted: bring it back on the same port. */
  #keep(client: pg.Client): void {
    this.#owner = client;
    client.once('end', () => {
      if (this.#stopping) return;
      this.#logger.error('the connection to the embedded PostgreSQL ended; starting it again where it is down');
      this.#recovery = this.#recover();
    });
  }

  /** Tries until it is back, however long what hinders it lasts: a full disk, say. */
  async #recover(): Promise<void> {
    const failures = new LogThrottle({ count: 1, interval: START_TIMEOUT });
    while (!this.#stopping) {
      try {
        if (await this.#claim(false)) return;
      } catch (error) {
        if (!isRecovering(error)) failures.log(() => this.#logger.error(error, 'the embedded PostgreSQL cannot be started; trying again'));
      }
      await delay(POLL_INTERVAL);
    }
  }

  /** Connects to the running PostgreSQL, starting it first where there is none. Rejects when it cannot be reached yet. */
  async #connect(): Promise<pg.Client> {
    const running = await findPostmaster(this.#directory);
    if (!running) await this.#launch();
    else this.#port = running.port;
    const client = new pg.Client({ connectionString: this.url, application_name: 'messenger-owner', keepAlive: true });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async #launch(): Promise<void> {
    // The pool knows only the first port; before there is an owner there is no pool, and any free port will do.
    if (!this.#owner) this.#port = await freePort();
    const log = path.join(this.#directory, 'server.log');
    const options = `-p ${this.#port} -c max_connections=${this.#connections} ${LOG_OPTIONS}`;
    await this.#binaries.run('pg_ctl', ['start', '-D', this.#directory, '-w', '-t', '60', '-l', log, '-o', options]);
  }
}

/** Whether PostgreSQL refuses connections because it is starting up or shutting down. */
function isRecovering(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '57P03';
}
