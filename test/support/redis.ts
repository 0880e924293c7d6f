import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { vi } from 'vitest';
import { freePort } from '../../src/lib/freePort.ts';
import type { BusMessage } from '../../src/realtime/bus.ts';
import { findProgram } from './programs.ts';

/** How long Redis may take to come up, in milliseconds. */
const TIMEOUT = 10_000;

const program = findProgram('redis');

/** Whether there is a Redis to test with. In CI a missing one is a failure, elsewhere `npm test` says so at its end. */
export const isRedisInstalled = program !== undefined;

/** A Redis server of the tests, on the loopback address and a port of its own. It keeps nothing. */
export class RedisServer {
  readonly #port: number;
  readonly #args: string[];
  readonly #directory: string;
  readonly #isCluster: boolean;
  #child: ChildProcess | undefined;

  private constructor(port: number, directory: string, clusterPort: number | undefined) {
    this.#port = port;
    this.#directory = directory;
    this.#isCluster = clusterPort !== undefined;
    this.#args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
    if (clusterPort !== undefined) {
      this.#args.push('--cluster-enabled', 'yes', '--cluster-port', `${clusterPort}`, '--cluster-announce-ip', '127.0.0.1');
    }
  }

  /** Starts one; with `cluster`, a Redis Cluster of one node, which has all slots. */
  static async start({ cluster = false } = {}): Promise<RedisServer> {
    const directory = await mkdtemp(path.join(tmpdir(), 'messenger-redis-'));
    const server = new RedisServer(await freePort(), directory, cluster ? await freePort() : undefined);
    await server.launch();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Starts it again after `kill`, on the same port, and waits until it serves. */
  async launch(): Promise<void> {
    if (!program) throw new Error('There is no redis-server here: skip the tests that need it');
    this.#child = spawn(program, this.#args, { stdio: 'ignore' });
    await this.#until('PING', '+PONG');
    if (!this.#isCluster) return;
    // A cluster that was killed still knows its slots.
    await this.ask('CLUSTER ADDSLOTSRANGE 0 16383');
    await this.#until('CLUSTER INFO', 'cluster_state:ok');
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

  /** Kills it and starts it again, on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    await this.launch();
  }

  /** It answers nothing any more, while its connections stay and new ones are accepted. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** What has come meanwhile is answered. */
  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** What it answers to a command, whose arguments with blanks stand in quotes, as it is on the wire, up to 64 KiB. */
  async ask(command: string): Promise<string> {
    const socket = createConnection(this.#port, '127.0.0.1');
    try {
      socket.write(`${command}\r\n`);
      const [answer] = await once(socket, 'data');
      return String(answer);
    } finally {
      socket.destroy();
    }
  }

  /** Publishes on a topic of the bus what another process might. */
  async publish(topic: string, message: BusMessage): Promise<void> {
    const payload = JSON.stringify(`another process\n${JSON.stringify(message)}\n`);
    await this.ask(`PUBLISH messenger:{${topic.slice(-2)}}:${topic} ${payload}`);
  }

  /** Ends it and removes what it left. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #until(command: string, answer: string): Promise<void> {
    return vi.waitFor(
      async () => {
        const answered = await this.ask(command);
        if (!answered.includes(answer)) throw new Error(`Redis answers ${answered}`);
      },
      { timeout: TIMEOUT, interval: 20 },
    );
  }
}
