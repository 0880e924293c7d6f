import bcrypt from 'bcryptjs';
import { Piscina } from 'piscina';
import { AppError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';

/** Most hashes that wait for a thread: at cost 10 the last of them waits about ten seconds. */
const MAX_WAITING = 128;
/** How long an unused thread is kept, in milliseconds. */
const IDLE_TIMEOUT = 60_000;

/** Hashes passwords off the event loop, which a hash would block for 80 ms and more. */
export class Passwords {
  readonly #rounds: number;
  readonly #pool: Piscina;
  /** Compared with when there is no account, so that the answer takes as long as for one that exists. */
  readonly #nobody: string;

  constructor(rounds: number, metrics: Metrics) {
    this.#rounds = rounds;
    this.#nobody = `$2b$${String(rounds).padStart(2, '0')}$${'.'.repeat(53)}`;
    this.#pool = new Piscina({
      filename: new URL('./passwordWorker.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      maxQueue: MAX_WAITING,
      idleTimeout: IDLE_TIMEOUT,
    });
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
    if (this.#pool.queueSize >= MAX_WAITING) throw new AppError('busy');
    return this.#pool.run(task, { name });
  }
}
