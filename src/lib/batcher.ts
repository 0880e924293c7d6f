import { AppError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';

interface Waiting<Job, Result> {
  job: Job;
  /** When it was added. */
  since: number;
  resolve: (result: Result | Promise<Result>) => void;
}

export interface BatcherOptions<Job, Result> {
  /** What its batches and its queue are called in the metrics. */
  kind: string;
  metrics: Metrics;
  /**
   * Handles a batch and answers each job, in the same order; an answer that takes longer than the others may be a promise.
   * When it rejects, every job of the batch is rejected.
   */
  flush: (jobs: Job[]) => Promise<(Result | Promise<Result>)[]>;
  /** Names the lane of a job. Jobs of one lane are done in the order in which they were added: two batches under way share no lane. */
  laneOf: (job: Job) => unknown;
  /** What no two jobs of one lane have in common within a batch: the second waits for the next one. */
  identityOf: (job: Job) => unknown;
  /** The identity of a job of the same lane that has to be done before: if that one was added before, both are never in one batch. */
  predecessorOf?: (job: Job) => unknown;
  /** Most jobs in one batch. */
  maxBatch: number;
  /** Least time from the beginning of a batch to that of the next, in milliseconds: what comes in bits is collected. */
  interval: number;
}

/** Most batches under way: a second one goes on when the first is held up. */
const MAX_RUNNING = 2;
/** Most jobs that wait; one more is refused. */
const MAX_WAITING = 10_000;
/**
 * How long a job may have waited, in milliseconds, when a batch fails: if longer, it is not tried itself, but rejected with that batch.
 * A batch takes up to six seconds to fail.
 */
const PATIENCE = 1_000;

/**
 * Collects jobs while batches are under way; they form the next ones. An idle batcher starts at the end of the turn of the event loop, a
 * busy one makes large batches. Lanes take turns, so a long one does not keep the others waiting.
 */
export class Batcher<Job, Result> {
  readonly #options: BatcherOptions<Job, Result>;
  /** Lanes that may go into the next batch, in the order of their turns. */
  readonly #ready = new Map<unknown, Waiting<Job, Result>[]>();
  /** What waits behind the batches under way, for each of their lanes. */
  readonly #held = new Map<unknown, Waiting<Job, Result>[]>();
  readonly #drained: (() => void)[] = [];
  #waiting = 0;
  #running = 0;
  #scheduled = false;
  /** When the last batch began. */
  #begunAt = -Infinity;

  constructor(options: BatcherOptions<Job, Result>) {
    this.#options = { ...options, flush: options.metrics.measureBatches(options.kind, options.flush) };
    options.metrics.watchQueue(options.kind, () => this.#waiting);
  }

  /**
   * Adds a job; resolves when its batch is done.
   * @throws {AppError} `busy` when too many jobs wait
   */
  add(job: Job): Promise<Result> {
    if (this.#waiting >= MAX_WAITING) return Promise.reject(new AppError('busy'));
    return new Promise((resolve) => {
      const name = this.#options.laneOf(job);
      const lane = this.#held.get(name) ?? this.#ready.get(name);
      const waiting = { job, since: performance.now(), resolve };
      if (lane) lane.push(waiting);
      else this.#ready.set(name, [waiting]);
      this.#waiting++;
      this.#schedule();
    });
  }

  /** Resolves when nothing waits or runs. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting + this.#running === 0) resolve();
      else this.#drained.push(resolve);
    });
  }

  /** Begins at the end of this turn of the event loop, so that the jobs of one turn come together, or when it is time. */
  #schedule(): void {
    if (this.#scheduled || this.#running >= MAX_RUNNING) return;
    this.#scheduled = true;
    const begin = () => {
      this.#scheduled = false;
      this.#start();
    };
    const wait = this.#begunAt + this.#options.interval - performance.now();
    if (wait > 0) setTimeout(begin, wait);
    else setImmediate(begin);
  }

  #start(): void {
    while (this.#ready.size > 0 && this.#running < MAX_RUNNING) {
      const now = performance.now();
      if (now < this.#begunAt + this.#options.interval) {
        this.#schedule();
        break;
      }
      this.#begunAt = now;
      void this.#run(this.#take());
    }
  }

  /** Takes the next batch, and holds what comes after it in its lanes. */
  #take(): Waiting<Job, Result>[] {
    const batch: Waiting<Job, Result>[] = [];
    for (const [name, lane] of this.#ready) {
      const count = this.#countOf(lane, this.#options.maxBatch - batch.length);
      if (count === 0) break;
      batch.push(...lane.splice(0, count));
      this.#ready.delete(name);
      this.#held.set(name, lane);
    }
    this.#waiting -= batch.length;
    return batch;
  }

  /** How many jobs of a lane the next batch may take. */
  #countOf(lane: Waiting<Job, Result>[], room: number): number {
    const { identityOf, predecessorOf } = this.#options;
    const identities = new Set<unknown>();
    for (const { job } of lane.slice(0, room)) {
      const identity = identityOf(job);
      if (identities.has(identity) || (predecessorOf && identities.has(predecessorOf(job)))) break;
      identities.add(identity);
    }
    return identities.size;
  }

  async #run(batch: Waiting<Job, Result>[]): Promise<void> {
    this.#running++;
    const answers = await this.#flush(batch.map(({ job }) => job));
    const late = batch.filter((_, index) => answers[index] instanceof Promise);
    const lateLanes = new Set(late.map(({ job }) => this.#options.laneOf(job)));
    if (late.length === 0) this.#running--;
    for (const { job } of batch) if (!lateLanes.has(this.#options.laneOf(job))) this.#release(this.#options.laneOf(job));
    // The next batch is on its way before this one is answered: it need not wait for what that takes.
    this.#start();
    for (const [index, answer] of answers.entries()) batch[index]?.resolve(answer);
    if (late.length > 0) {
      await Promise.allSettled(answers);
      this.#running--;
      for (const lane of lateLanes) this.#release(lane);
      this.#start();
    }
    if (this.#waiting + this.#running === 0) for (const drained of this.#drained.splice(0)) drained();
  }

  /** Handles a batch. Never rejects: a failure answers every job. */
  async #flush(jobs: Job[]): Promise<(Result | Promise<Result>)[]> {
    try {
      const answers = await this.#options.flush(jobs);
      if (answers.length !== jobs.length) throw new Error(`${answers.length} answers for ${jobs.length} jobs`);
      return answers;
    } catch (error) {
      this.#giveUp(new AppError('unavailable', { cause: error }));
      return jobs.map(() => Promise.reject(error));
    }
  }

  /** When nothing answers, batch after batch fails late: what has waited long enough does not wait for the end of another. */
  #giveUp(error: unknown): void {
    const latest = performance.now() - PATIENCE;
    for (const lanes of [this.#ready, this.#held]) {
      for (const [name, lane] of lanes) {
        const next = lane.findIndex(({ since }) => since > latest);
        const given = lane.splice(0, next === -1 ? lane.length : next);
        this.#waiting -= given.length;
        if (lane.length === 0 && lanes === this.#ready) lanes.delete(name);
        for (const { resolve } of given) resolve(Promise.reject(error));
      }
    }
  }

  /** A batch of the lane is done: what waits behind it may go on, after the lanes whose turn it is. */
  #release(name: unknown): void {
    const lane = this.#held.get(name);
    this.#held.delete(name);
    if (lane && lane.length > 0) this.#ready.set(name, lane);
  }
}
