import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { z } from 'zod';

const started = z.tuple([z.object({ port: z.int() })]).rest(z.unknown());

/** The way of one server to Redis, which can be cut. */
export class Way {
  /** Where the server finds Redis. */
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
  }

  /** Opens one to what listens on `target`, a port of the loopback address. */
  static async open(target: number): Promise<Way> {
    const process = fork(path.resolve('torture/wayProcess.ts'), [String(target)], { execArgv: ['--import', 'tsx'], detached: true });
    const [{ port }] = started.parse(await once(process, 'message'));
    return new Way(`redis://127.0.0.1:${port}`, process);
  }

  /** Whatever passes is dropped, in both directions, and nobody is told. Resolves when it is so. */
  cut(): Promise<void> {
    return this.#command('cut');
  }

  /** What comes now passes, on connections that lost nothing; the others end. Resolves when it is so. */
  mend(): Promise<void> {
    return this.#command('mend');
  }

  async close(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.disconnect();
    await exited;
  }

  async #command(command: 'cut' | 'mend'): Promise<void> {
    const done = once(this.#process, 'message');
    this.#process.send(command);
    await done;
  }
}
