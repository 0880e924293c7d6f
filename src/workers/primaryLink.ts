import cluster from 'node:cluster';
import { AggregatorRegistry } from 'prom-client';
import { AppError } from '../errors.ts';
import { within } from '../lib/within.ts';
import { type Metric, type ToPrimary, type ToWorker, toWorker, type WorkerMetrics } from './messages.ts';

/** How long the primary may take to bring the metrics of all, in milliseconds: longer than it waits for each worker. */
const METRICS_TIMEOUT = 6_000;

/** What a worker has to do with the primary that started it. */
export class PrimaryLink {
  #measure: () => Promise<Metric[]> = async () => [];
  /** Readings of the metrics of all that are under way. */
  readonly #readings = new Map<number, (workers: WorkerMetrics[]) => void>();
  #lastId = 0;

  /** The link of this process, to be opened once; undefined when this process is no worker. */
  static open(): PrimaryLink | undefined {
    return cluster.worker && new PrimaryLink(cluster.worker);
  }

  private constructor(worker: NonNullable<typeof cluster.worker>) {
    process.on('message', (message) => this.#receive(toWorker.parse(message)));
    worker.once('disconnect', () => {
      // The primary was killed. Node would end this process at once, but it is to stop in order.
      worker.exitedAfterDisconnect = true;
      process.kill(process.pid, 'SIGTERM');
    });
  }

  /** Tells that this worker serves. */
  started(port: number): void {
    this.#send({ type: 'started', port });
  }

  /** Tells why this worker cannot start. Resolves when that is sent, or cannot be. */
  failed(reason: string): Promise<void> {
    return new Promise((resolve) => this.#send({ type: 'failed', reason }, resolve));
  }

  /** Makes the metrics that `measure` returns part of those of all. */
  shareMetrics(measure: () => Promise<Metric[]>): void {
    this.#measure = measure;
  }

  /**
   * What Prometheus reads: the metrics of all workers, each with the label `worker`. They are not added up here, because Prometheus
   * understands that the counter of a worker that was replaced begins anew, but not that a sum falls.
   * A worker that does not answer in time is left out.
   * @throws {AppError} `unavailable` when the primary does not answer in time
   */
  async readMetrics(): Promise<string> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<WorkerMetrics[]>((resolve) => {
      this.#readings.set(id, resolve);
    });
    this.#send({ type: 'askMetrics', id });
    const workers = await within(METRICS_TIMEOUT, answered);
    this.#readings.delete(id);
    if (!workers) throw new AppError('unavailable');
    return AggregatorRegistry.aggregate(workers.map(labelled)).metrics();
  }

  #receive(message: ToWorker): void {
    const { id } = message;
    if (message.type === 'metrics') {
      this.#readings.get(id)?.(message.workers);
      return;
    }
    this.#measure().then(
      (metrics) => this.#send({ type: 'measured', id, metrics }),
      // The reading does without it.
      () => {},
    );
  }

  #send(message: ToPrimary, done: () => void = () => {}): void {
    if (process.connected) process.send?.(message, undefined, undefined, () => done());
    else done();
  }
}

/** The metrics of one worker, such that nothing of them is put together with those of another. */
function labelled({ worker, metrics }: WorkerMetrics): Metric[] {
  return metrics.map((metric) => ({
    ...metric,
    aggregator: 'first',
    values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker } })),
  }));
}
