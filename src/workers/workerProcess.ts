import cluster, { type Worker } from 'node:cluster';
import { OperatorError } from '../errors.ts';
import { within } from '../lib/within.ts';
import { type Metric, type ToPrimary, type ToWorker, toPrimary, type WorkerMetrics } from './messages.ts';

/** How long a worker may take to tell its metrics, in milliseconds. To find that the database does not answer takes it two seconds. */
const MEASURE_TIMEOUT = 4_000;

/** How a worker ended, and why, if it could not start and said so. */
export interface End {
  code: number | null;
  signal: string | null;
  reason: string | undefined;
}

/** One worker, as its primary sees it. */
export class WorkerProcess {
  /** Resolves with the port when the worker serves. Rejects with what it says, or with an `OperatorError`, when it ends instead. */
  readonly started: Promise<number>;
  readonly ended: Promise<End>;
  /** Since when it serves, in milliseconds of the clock; undefined before. */
  servesSince: number | undefined;
  readonly #worker: Worker;
  readonly #readMetrics: () => Promise<WorkerMetrics[]>;
  readonly #measurings = new Map<number, (metrics: Metric[]) => void>();
  #lastId = 0;
  #hasEnded = false;
  #reason: string | undefined;

  /** Starts one with the environment of this process and `variables`. It may ask for the metrics of all workers. */
  constructor(variables: NodeJS.ProcessEnv, readMetrics: () => Promise<WorkerMetrics[]>) {
    this.#worker = cluster.fork(variables);
    this.#readMetrics = readMetrics;
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', (code: number | null, signal: string | null) => resolve({ code, signal, reason: this.#reason }));
      this.#worker.on('error', ({ message }) => {
        // The system starts no more processes at the moment.
        if (this.pid === undefined) resolve({ code: null, signal: null, reason: message });
      });
    });
    void this.ended.then(() => {
      this.#hasEnded = true;
    });
    const serves = new Promise<number>((resolve) => {
      this.#worker.on('message', (message) => this.#receive(toPrimary.parse(message), resolve));
    });
    const fails = this.ended.then(({ code, signal, reason }) => {
      throw new OperatorError(reason ?? `A worker ended with ${signal ?? code} before it could serve.`);
    });
    this.started = Promise.race([serves, fails]);
    // Whoever does not wait for the start sees the end.
    this.started.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** Its metrics; none when it does not tell them in time. */
  async measure(): Promise<Metric[]> {
    this.#lastId += 1;
    const id = this.#lastId;
    const measured = new Promise<Metric[]>((resolve) => {
      this.#measurings.set(id, resolve);
    });
    this.#send({ type: 'measure', id });
    const metrics = await within(MEASURE_TIMEOUT, measured);
    this.#measurings.delete(id);
    return metrics ?? [];
  }

  /**
   * Asks it to stop. Resolves when it has, with whether it did so in order: one that has ended before, or did not serve yet, has nothing
   * to put in order.
   */
  async stop(): Promise<boolean> {
    if (this.#hasEnded) return true;
    this.#worker.process.kill('SIGTERM');
    const { code } = await this.ended;
    return code === 0 || this.servesSince === undefined;
  }

  /** Ends it at once. */
  kill(): void {
    this.#worker.process.kill('SIGKILL');
  }

  #receive(message: ToPrimary, started: (port: number) => void): void {
    switch (message.type) {
      case 'started':
        this.servesSince = Date.now();
        started(message.port);
        break;
      case 'failed':
        this.#reason = message.reason;
        break;
      case 'measured':
        this.#measurings.get(message.id)?.(message.metrics);
        break;
      case 'askMetrics':
        void this.#readMetrics().then((workers) => this.#send({ type: 'metrics', id: message.id, workers }));
    }
  }

  #send(message: ToWorker): void {
    // A worker that is gone hears nothing.
    if (this.#worker.isConnected()) this.#worker.send(message, () => {});
  }
}
