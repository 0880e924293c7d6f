import { AppError } from '../errors.ts';

interface Waiting<Job, Result> {
  job: Job;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

export interface BatcherOptions<Job, Result> {
  /** Handles a batch and answers each job, in the same order. When it rejects, every job of the batch is rejected. */
  flush: (jobs: Job[]) => Promise<Result[]>;
  /** Most jobs in one batch. */
  maxBatch: number;
  /** Most jobs that wait; one more is refused. */
  maxWaiting: number;
}

/**
 * Collects jobs while a batch is under way; they form the next one. There is no timer: an idle batcher starts at once,
 * a busy one makes large batches. One batch runs at a time, and jobs keep the order in which they were added.
 */
export class Batcher<Job, Result> {
  readonly #options: BatcherOptions<Job, Result>;
  #waiting: Waiting<Job, Result>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: BatcherOptions<Job, Result>) {
    this.#options = options;
  }

  /**
   * Adds a job; resolves when its batch is done.
   * @throws {AppError} `busy` when too many jobs wait
   */
  add(job: Job): Promise<Result> {
    if (this.#waiting.length >= this.#options.maxWaiting) return Promise.reject(new AppError('busy'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits or runs. */
  async drain(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Let the jobs of this turn of the event loop come together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.maxBatch);
      try {
        const results = await this.#options.flush(batch.map(({ job }) => job));
        if (results.length !== batch.length) throw new Error(`${results.length} results for ${batch.length} jobs`);
        for (const [index, result] of results.entries()) batch[index]?.resolve(result);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = undefined;
  }
}
