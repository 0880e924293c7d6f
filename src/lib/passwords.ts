import bcrypt from 'bcryptjs';
import { Piscina } from 'piscina';
import { AppError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Logger } from './logger.ts';
import { LogThrottle } from './logThrottle.ts';

/** Most hashes that wait for a thread at cost 10: the last of them waits about ten seconds. Each step of the cost doubles the time. */
const MAX_WAITING = 128;
const USUAL_ROUNDS = 10;
/** Most lines about threads that cannot be made in so many milliseconds. */
const FAILURES = { count: 1, interval: 10_000 };
/** How much less than the event loop a thread has of a processor that both want. Only on Linux a thread has a priority of its own. */
const NICENESS = process.platform === 'linux' ? 5 : 0;
/** How long an unused thread is kept, in milliseconds. */
const IDLE_TIMEOUT = 60_000;

/** Hashes passwords off the event loop, which a hash would block for 80 ms and more. */
export class Passwords {
  readonly #rounds: number;
  readonly #maxWaiting: number;
  readonly #pool: Piscina;
  /** Compared with when there is no account, so that the answer takes as long as for one that exists. */
  readonly #nobody: string;

  constructor(rounds: number, logger: Logger, metrics: Metrics) {
    this.#rounds = rounds;
    this.#maxWaiting = Math.max(1, Math.floor(MAX_WAITING / 2 ** Math.max(0, rounds - USUAL_ROUNDS)));
    this.#nobody = `$2b$${String(rounds).padStart(2, '0')}$${'.'.repeat(53)}`;
    this.#pool = new Piscina({
      filename: new URL('./passwordWorker.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      maxQueue: this.#maxWaiting,
      idleTimeout: IDLE_TIMEOUT,
      niceIncrement: NICENESS,
    });
    // What waits is done once there can be a thread: when files are closed again, say.
    const failures = new LogThrottle(FAILURES);
    this.#pool.on('error', (error) => failures.log((heldBack) => logger.error({ err: error, ...heldBack }, 'no thread for passwords')));
    metrics.watchQueue('passwords', () => this.#pool.queueSize);
  }

  /** @throws {AppError} `busy` when too many passwords wait to be hashed */
  async hash(password: string): Promise<string> {
    return this.#run('hash', { password, rounds: this.#rounds });
  }

  /**
   * Whether `password` is the one behind `hash`; without a hash, false after the same time.
   * @throws {AppError} `busy` when too many passwords wait to be hashed
   */
  async matches(password: string, hash: string | null | undefined): Promise<boolean> {
    const same: boolean = await this.#run('compare', { password, hash: hash ?? this.#nobody });
    return same && hash != null && !bcrypt.truncates(password);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #run<T>(name: 'hash' | 'compare', task: object): Promise<T> {
    if (this.#pool.queueSize >= this.#maxWaiting) throw new AppError('busy');
    return this.#pool.run(task, { name });
  }
}
