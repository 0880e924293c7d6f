import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app.ts';
import type { Logger } from '../lib/logger.ts';
import type { WorkerMetrics } from './messages.ts';
import { WorkerProcess } from './workerProcess.ts';

/** How long the place of a worker that died stays empty, in milliseconds: it doubles with each death in a row. */
const FIRST_DELAY = 1_000;
const LAST_DELAY = 30_000;
/** After so long a life, in milliseconds, a death is the first in a row again. */
const LONG_LIFE = 60_000;

/**
 * Several processes that serve one port. This one is their primary: it starts them, replaces those that die and stops them.
 *
 * It also accepts the connections and hands them out in turn. Left to the system, a few of the workers would get most of them, and
 * it would remain so, because WebSockets stay for days.
 */
export class WorkerGroup implements App {
  readonly #logger: Logger;
  readonly #variables: NodeJS.ProcessEnv;
  /** Each worker by its number, from 1. One that died stays here until it is replaced. */
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #count: number;
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | undefined;

  /** A group of `count` processes with the environment of this one, which serve the database at `databaseUrl`. */
  constructor(count: number, databaseUrl: string, logger: Logger) {
    this.#count = count;
    this.#logger = logger;
    this.#variables = { DATABASE_URL: databaseUrl };
    cluster.schedulingPolicy = cluster.SCHED_RR;
    // JSON knows no NaN, which some metrics are while there is nothing to measure.
    cluster.setupPrimary({ serialization: 'advanced' });
    // After a stop that took too long, or was cut off.
    process.once('exit', () => {
      if (this.#stopping.signal.aborted) for (const worker of this.#workers.values()) worker.kill();
    });
  }

  /**
   * Starts the workers; resolves with their port when all of them serve.
   * @throws {OperatorError} with the reason of the first that cannot start
   */
  async start(): Promise<number> {
    const numbers = Array.from({ length: this.#count }, (_, index) => index + 1);
    const ports = await Promise.all(numbers.map((number) => this.#launch(number).started));
    for (const number of numbers) void this.#keep(number);
    const [port] = ports;
    if (port === undefined) throw new Error('a group has one worker at least');
    return port;
  }

  /** Stops the workers, each as a single process stops. Rejects when one that runs does not end in order. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#stopping.abort();
    const inOrder = await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
    if (inOrder.includes(false)) throw new Error('a worker did not stop in order');
  }

  #launch(number: number): WorkerProcess {
    const worker = new WorkerProcess(this.#variables, () => this.#readMetrics());
    this.#workers.set(number, worker);
    return worker;
  }

  /** Replaces the worker with this number whenever it dies, until the group is stopped. */
  async #keep(number: number): Promise<void> {
    const { signal } = this.#stopping;
    for (let deaths = 1; ; deaths++) {
      const worker = this.#workers.get(number);
      if (!worker) return;
      const end = await worker.ended;
      if (signal.aborted) return;
      if (worker.servesSince !== undefined && Date.now() - worker.servesSince > LONG_LIFE) deaths = 1;
      const wait = Math.min(LAST_DELAY, FIRST_DELAY * 2 ** (deaths - 1));
      this.#logger.error({ worker: number, workerPid: worker.pid, ...end, wait }, 'a worker ended; another one takes its place');
      await delay(wait, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      const next = this.#launch(number);
      next.started.then(
        () => this.#logger.info({ worker: number, workerPid: next.pid }, 'the worker that takes its place serves'),
        () => {},
      );
    }
  }

  #readMetrics(): Promise<WorkerMetrics[]> {
    return Promise.all([...this.#workers].map(async ([worker, process]) => ({ worker, metrics: await process.measure() })));
  }
}
