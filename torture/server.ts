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

/** The server through all its lives. */
export class Server {
  /** Where it listens, or did last. */
  url = '';
  readonly #dataDir: string;
  readonly #verdict: Verdict;
  #current: ServerProcess | undefined;
  #logLinesBefore = 0;
  #isOver = false;

  constructor(dataDir: string, verdict: Verdict) {
    this.#dataDir = dataDir;
    this.#verdict = verdict;
  }

  get current(): ServerProcess {
    if (!this.#current) throw new Error('the server was not started');
    return this.#current;
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
      const started = new ServerProcess(this.#dataDir, VARIABLES);
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

  /** Ends it, and starts it no more. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#current?.stop();
  }

  #onEnd(process: ServerProcess, code: number | string): void {
    const { ending, lastLines, isListening } = process;
    this.#verdict.check(
      'the server never ends by itself',
      ending !== undefined,
      () => `it ended with ${code}; the end of its log:\n${lastLines.join('\n')}`,
    );
    if (!ending && isListening) this.start().catch(() => {});
  }
}
