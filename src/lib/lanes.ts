import { AppError } from '../errors.ts';

interface LanesOptions {
  /** Most jobs under way, of all lanes. */
  maxRunning: number;
  /** Most jobs of one lane under way. */
  maxRunningOfLane: number;
  /** Most jobs of one lane that wait; one more is refused. */
  maxWaiting: number;
  /** How long a job may wait for its turn, in milliseconds. */
  patience: number;
}

/** Runs few jobs of one lane at a time, in the order in which they came. Where there is no room for all lanes, they take turns. */
export class Lanes {
  readonly #options: LanesOptions;
  /** How many jobs are under way, by lane. */
  readonly #running = new Map<string, number>();
  #runningOfAll = 0;
  /** What begins the jobs that wait, by lane; the lane whose turn is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  /**
   * @param patience Where the job has waited elsewhere before: what is left, in milliseconds
   * @throws {AppError} `busy` when too many wait in the lane, or its turn does not come in time: then it is not done.
   * Otherwise as `job`
   */
  async run<T>(name: string, job: () => Promise<T>, patience = this.#options.patience): Promise<T> {
    if (this.#hasRoom && this.#hasRoomFor(name)) this.#begin(name);
    else await this.#turn(name, patience);
    try {
      return await job();
    } finally {
      const wasFull = !this.#hasRoom;
      this.#end(name);
      // Where there was room for all lanes, what waits does so for its own lane alone, and there may be very many of them.
      this.#goOn(wasFull ? this.#waiting.keys() : [name]);
    }
  }

  /** How many jobs wait, in all lanes. */
  get waiting(): number {
    return [...this.#waiting.values()].reduce((count, lane) => count + lane.length, 0);
  }

  get #hasRoom(): boolean {
    return this.#runningOfAll < this.#options.maxRunning;
  }

  #hasRoomFor(name: string): boolean {
    return (this.#running.get(name) ?? 0) < this.#options.maxRunningOfLane;
  }

  #begin(name: string): void {
    this.#running.set(name, (this.#running.get(name) ?? 0) + 1);
    this.#runningOfAll++;
  }

  #end(name: string): void {
    const left = (this.#running.get(name) ?? 0) - 1;
    if (left > 0) this.#running.set(name, left);
    else this.#running.delete(name);
    this.#runningOfAll--;
  }

  #turn(name: string, patience: number): Promise<void> {
    const lane = this.#waiting.get(name) ?? [];
    if (lane.length >= this.#options.maxWaiting) throw new AppError('busy');
    this.#waiting.set(name, lane);
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        lane.splice(lane.indexOf(begin), 1);
        if (lane.length === 0) this.#waiting.delete(name);
        reject(new AppError('busy'));
      }, patience);
      lane.push(begin);
    });
  }

  #goOn(names: Iterable<string>): void {
    for (const name of names) {
      const lane = this.#waiting.get(name);
      if (!this.#hasRoom) return;
      if (!lane || !this.#hasRoomFor(name)) continue;
      this.#begin(name);
      lane.shift()?.();
      // Behind the others, where it is met again.
      this.#waiting.delete(name);
      if (lane.length > 0) this.#waiting.set(name, lane);
    }
  }
}
