import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Counts } from './counts.ts';
import { History } from './history.ts';
import { type Nodes, prepareNodes } from './nodes.ts';
import type { Options } from './options.ts';
import { Postgres } from './postgres.ts';
import { limitLog } from './queries.ts';
import type { Run } from './run.ts';
import { Server } from './server.ts';
import { Verdict } from './verdict.ts';
import { Volume } from './volume.ts';

/** Room for the database: for the empty one with its log, and for the messages of a minute. */
const MEBIBYTES = 640;
const MEBIBYTES_PER_MINUTE = 48;

/** A run, and what faults can be done to beside its servers. */
export interface Scene extends Run {
  postgres: Postgres;
  /** Undefined where none can be mounted. */
  volume: Volume | undefined;
  /** Undefined where there is one server. */
  nodes: Nodes | undefined;
}

/** What a run plays on: a disk, servers and what they use. Ends all that it started. */
export class Stage {
  readonly #ends: (() => Promise<unknown>)[] = [];
  #ended = false;

  /** Starts it all. `say` is told what the disk is. */
  async start({ minutes, nodes: count }: Options, say: (what: string) => void): Promise<Scene> {
    const making = mkdtemp(path.join(tmpdir(), 'messenger-torture-'));
    this.#ends.push(async () => rm(await making, { recursive: true, force: true, maxRetries: 5 }));
    const directory = await making;
    await chmod(directory, 0o755);
    const dataDir = path.join(directory, 'data');
    await mkdir(dataDir);
    const volume = await this.#mount(dataDir, MEBIBYTES + Math.ceil(minutes * MEBIBYTES_PER_MINUTE), say);
    const verdict = new Verdict();
    const postgres = new Postgres(dataDir);
    this.#assertOpen();
    this.#ends.push(() => postgres.end());
    const nodes = count > 1 ? await prepareNodes(count, dataDir, verdict, this.#ends) : undefined;
    const servers = nodes?.servers ?? [new Server(0, dataDir, {}, verdict)];
    this.#assertOpen();
    this.#ends.push(() => Promise.all(servers.map((server) => server.end())));
    // A server whose database is frozen could not end in order.
    this.#ends.push(() => postgres.thaw());
    await Promise.all(servers.map((server) => server.start()));
    await limitLog(await postgres.url());
    return { servers, nodes, postgres, volume, verdict, history: new History(), counts: new Counts(), slowUntil: new Map() };
  }

  /** Ends what was started, the last first. Rejects with what could not be ended. */
  async end(): Promise<void> {
    this.#ended = true;
    const failures: unknown[] = [];
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'not everything that was started could be ended');
  }

  async #mount(directory: string, mebibytes: number, say: (what: string) => void): Promise<Volume | undefined> {
    this.#assertOpen();
    try {
      const volume = await Volume.mount(directory, mebibytes);
      this.#ends.push(() => volume.unmount());
      say(`the database is on a tmpfs of ${mebibytes} MiB, which a ballast file fills for the full disk`);
      return volume;
    } catch (error) {
      const reason = error instanceof Error ? error.message.replaceAll(/\s+/g, ' ').trim() : error;
      say(`the full disk is left out, for a tmpfs cannot be mounted: ${reason}`);
      return undefined;
    }
  }

  #assertOpen(): void {
    if (this.#ended) throw new Error('the run is ending');
  }
}
