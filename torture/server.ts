import { setTimeout as delay } from 'node:timers/promises';
import { PING_INTERVAL_SECONDS } from './bounds.ts';
import { ServerProcess } from './serverProcess.ts';
import type { Verdict } from './verdict.ts';

const VARIABLES = {
  RATE_LIMITS: 'off',
  BCRYPT_ROUNDS: '4',
  LOG_LEVEL: 'warn',
  PING_INTERVAL: `${PING_INTERVAL_SECONDS}s`,
};

/** Before another try to start it, in milliseconds. */
const RESTART_DELAY = 500;

/** One server through all its lives. */
export class Server {
  /** Its number among the servers of the run, from 0. */
  readonly node: number;
  /** Where it listens, or did last. */
  url = '';
  readonly #dataDir: string;
  readonly #variables: Record<string, string>;
  readonly #verdict: Verdict;
  #current: ServerProcess | undefined;
  #logLinesBefore = 0;
  #isOver = false;
  #renewing: Promise<unknown> = Promise.resolve();

  /** `variables` are those beside what every server of a run has; with DATABASE_URL among them it does not run the database itself. */
  constructor(node: number, dataDir: string, variables: Record<string, string>, verdict: Verdict) {
    this.node = node;
    this.#dataDir = dataDir;
    this.#variables = { ...VARIABLES, ...variables };
    this.#verdict = verdict;
  }

  get current(): ServerProcess {
    if (!this.#current) throw new Error('the server was not started');
    return this.#current;
  }

  /** Whether it listens, as far as the run knows. */
  get isServing(): boolean {
    const current = this.#current;
    return current?.isListening === true && !current.ending && !current.hasEnded;
  }

  /** Lines that it logged in all its lives. */
  get logLines(): number {
    return this.#logLinesBefore + (this.#current?.logLines ?? 0);
  }

  /** Starts a new life and resolves when it listens. As a supervisor does, it starts another one whenever the server ends by itself. */
  async start(): Promise<void> {
    for (;;) {
      if (this.#isOver) throw new Error('the run is ending');
      this.#logLinesBefore = this.logLines;
      const started = new ServerProcess(this.#dataDir, this.#variables);
      this.#current = started;
      void started.ended.then((code) => this.#onEnd(started, code));
      try {
        this.url = await started.url;
        return;
      } catch (error) {
        if (started.ending) throw error;
        await delay(RESTART_DELAY);
      }
    }
  }

  /** Lets `end` end the present life, and starts another one. One who asks for that at the same time waits. */
  async renew(end: (current: ServerProcess) => Promise<void>): Promise<void> {
    const renewed = this.#renewing.then(async () => {
      await end(this.current);
      await this.start();
    });
    this.#renewing = renewed.catch(() => {});
    await renewed;
  }

  /** Ends it, and starts it no more. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#current?.stop();
  }

  #onEnd(process: ServerProcess, code: number | string): void {
    const { ending, lastLines, isListening } = process;
    // Without its database a server cannot start.
    const isExcused = !isListening && this.#variables.DATABASE_URL !== undefined;
    this.#verdict.check(
      'the server never ends by itself',
      ending !== undefined || isExcused,
      () => `it ended with ${code}; the end of its log:\n${lastLines.join('\n')}`,
    );
    if (!ending && isListening) this.start().catch(() => {});
  }
}
