import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { vi } from 'vitest';
import { type HerdOrder, type HerdReport, herdReport } from './herdMessages.ts';

/** Many connections, in a process of their own. */
export class Herd {
  report: HerdReport = { open: 0, opened: 0, received: 0 };
  readonly #child: ChildProcess;

  /** Begins to connect, to the last of the servers first. */
  constructor(order: HerdOrder) {
    this.#child = fork(path.resolve('test/support/herdProcess.ts'), { execArgv: ['--import', 'tsx'] });
    this.#child.on('message', (message) => {
      this.report = herdReport.parse(message);
    });
    this.#child.send(order);
  }

  /** Waits until a report is as it should be. */
  async until(isSo: (report: HerdReport) => boolean, timeout: number): Promise<void> {
    await vi.waitFor(
      () => {
        if (!isSo(this.report)) throw new Error(`the herd is ${JSON.stringify(this.report)}`);
      },
      { timeout, interval: 50 },
    );
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
