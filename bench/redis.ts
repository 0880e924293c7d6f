import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { OperatorError } from '../src/errors.ts';
import { freePort } from '../src/lib/freePort.ts';

/** How long Redis may take to come up, in milliseconds. */
const START_WITHIN = 10_000;
const POLL_INTERVAL = 20;

/** A redis-server of one's own, on the loopback address and a port of its own. It keeps nothing. */
export class Redis {
  readonly port: number;
  readonly #directory: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, directory: string) {
    this.port = port;
    this.#directory = directory;
  }

  /**
   * Starts one in `directory`, where it writes nothing.
   * @throws {OperatorError} when there is no redis-server
   */
  static async start(directory: string): Promise<Redis> {
    const redis = new Redis(await freePort(), directory);
    await redis.launch();
    return redis;
  }

  /** Starts it, again after `kill`, and resolves when it answers. */
  async launch(): Promise<void> {
    const args = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', args, { cwd: this.#directory, stdio: 'ignore', detached: true });
    this.#child = child;
    await once(child, 'spawn').catch((cause: unknown) => {
      this.#child = undefined;
      throw new OperatorError('This needs redis-server: apt-get install redis-server', { cause });
    });
    for (const deadline = Date.now() + START_WITHIN; !(await this.#answers()); await delay(POLL_INTERVAL)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`redis-server does not answer on port ${this.port}`);
    }
  }

  /** Ends it as a crash does: connections break, and new ones are refused. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** It answers nothing any more, while its connections stay and new ones are accepted. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** What has come meanwhile is answered. */
  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async #answers(): Promise<boolean> {
    const socket = createConnection(this.port, '127.0.0.1');
    try {
      socket.write('PING\r\n');
      const [answer] = await once(socket, 'data');
      return String(answer).startsWith('+PONG');
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}
