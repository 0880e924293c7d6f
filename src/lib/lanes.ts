import { AppError } from '../errors.ts';

/** Jobs of one lane that may wait; one more is refused. */
const MAX_WAITING = 100;
/** How long a job may wait for its turn, in milliseconds. */
const PATIENCE = 5_000;

/** Runs the jobs of one lane one after the other, in the order in which they came; lanes do not wait for one another. */
export class Lanes {
  /** What begins the jobs that wait, for each lane in which one runs. */
  readonly #waiting = new Map<string, (() => void)[]>();

  /**
   * @throws {AppError} `busy` when too many wait in the lane, `unavailable` when its turn does not come in time: then it is not done.
   * Otherwise as `job`
   */
  async run<T>(name: string, job: () => Promise<T>): Promise<T> {
    await this.#turn(name);
    try {
      return await job();
    } finally {
      this.#next(name);
    }
  }

  /** How many jobs wait, in all lanes. */
  get waiting(): number {
    return [...this.#waiting.values()].reduce((count, lane) => count + lane.length, 0);
  }

  async #turn(name: string): Promise<void> {
    const lane = this.#waiting.get(name);
    if (!lane) {
      this.#waiting.set(name, []);
      return;
    }
    if (lane.length >= MAX_WAITING) throw new AppError('busy');
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        lane.splice(lane.indexOf(begin), 1);
        reject(new AppError('unavailable'));
      }, PATIENCE);
      lane.push(begin);
    });
  }

  #next(name: string): void {
    const begin = this.#waiting.get(name)?.shift();
    if (begin) begin();
    else this.#waiting.delete(name);
  }
}
