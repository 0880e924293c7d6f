import { setTimeout as delay } from 'node:timers/promises';
import type { Services } from '../operation.ts';
import type { Connection } from './connection.ts';

/** How often connections are looked after while the bus is away, in milliseconds. */
const INTERVAL = 5_000;
/** How long to wait when the database did not answer, in milliseconds. */
const RETRY = 1_000;
/** Connections that are looked after at a time. */
const CHUNK = 200;

/**
 * Looks up in the database what connections may receive, when changes of it may not have been heard: messages of the bus were lost, or
 * it is away. Ends those whose session has ended, moves the others to their groups, and tells them to catch up if they asked for that.
 */
export class Refresher {
  readonly #services: Services;
  readonly #connections: ReadonlySet<Connection>;
  readonly #timer: NodeJS.Timeout;
  #isRunning = false;
  #isDue = false;
  /** Whether clients are told to catch up: while the bus is away it would do no good yet. */
  #mustTell = false;
  #isClosed = false;

  constructor(services: Services, connections: ReadonlySet<Connection>) {
    this.#services = services;
    this.#connections = connections;
    services.hub.on('loss', () => {
      this.#mustTell = true;
      void this.#refresh();
    });
    this.#timer = setInterval(() => {
      if (services.bus.failure !== undefined) void this.#refresh();
    }, INTERVAL).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #refresh(): Promise<void> {
    this.#isDue = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isDue && !this.#isClosed) {
      const tells = this.#mustTell;
      this.#isDue = false;
      this.#mustTell = false;
      await this.#refreshAll(tells);
    }
    this.#isRunning = false;
  }

  async #refreshAll(tells: boolean): Promise<void> {
    const connections = [...this.#connections];
    while (connections.length > 0 && !this.#isClosed) {
      const chunk = connections.splice(0, CHUNK);
      const failed = (await Promise.all(chunk.map((connection) => this.#refreshOne(connection)))).filter(
        (connection) => connection !== undefined,
      );
      if (tells) this.#services.hub.tell(chunk, 'catchUp', {});
      if (failed.length === 0) continue;
      connections.push(...failed);
      await delay(RETRY, undefined, { ref: false });
    }
  }

  /** Resolves with the connection when the database did not answer. */
  async #refreshOne(connection: Connection): Promise<Connection | undefined> {
    const { hub, sessionReader } = this.#services;
    hub.beginReading(connection);
    const groupIds = await sessionReader.groupsOf(connection.claims).catch(() => null);
    if (groupIds) await hub.open(connection, groupIds);
    else if (groupIds === undefined) connection.revoke();
    else if (this.#connections.has(connection)) return connection;
    return undefined;
  }
}
