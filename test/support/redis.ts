import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../src/lib/freePort.ts';
import type { BusMessage } from '../../src/realtime/bus.ts';
import { eventually } from './eventually.ts';
import { findProgram } from './programs.ts';

/** A node of a Redis Cluster: where it listens for the others, and the first and the last of its slots. */
interface ClusterNode {
  port: number;
  first: number;
  last: number;
}

const LAST_SLOT = 16_383;

const program = findProgram('redis');

/** Whether there is a Redis to test with. In CI a missing one is a failure, elsewhere `npm test` says so at its end. */
export const isRedisInstalled = program !== undefined;

const channelOf = (topic: string): string => `messenger:{${topic.slice(-2)}}:${topic}`;

/** A Redis server of the tests, on the loopback address and a port of its own. It keeps nothing. */
export class RedisServer {
  readonly #port: number;
  readonly #args: string[];
  readonly #directory: string;
  readonly #cluster: ClusterNode | undefined;
  #child: ChildProcess | undefined;

  private constructor(port: number, directory: string, cluster: ClusterNode | undefined) {
    this.#port = port;
    this.#directory = directory;
    this.#cluster = cluster;
    this.#args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
    if (!cluster) return;
    this.#args.push('--cluster-enabled', 'yes', '--cluster-port', `${cluster.port}`, '--cluster-announce-ip', '127.0.0.1');
    // A node that is frozen for a while is not given up by the others, and they serve their slots without it.
    this.#args.push('--cluster-node-timeout', '600000', '--cluster-require-full-coverage', 'no');
  }

  /** Starts one; with `cluster`, a Redis Cluster of one node, which has all slots. */
  static start({ cluster = false } = {}): Promise<RedisServer> {
    return cluster ? RedisServer.startNode(0, LAST_SLOT) : RedisServer.#start();
  }

  /** Starts a Redis Cluster of one node, which has these slots. */
  static async startNode(first: number, last: number): Promise<RedisServer> {
    return RedisServer.#start({ port: await freePort(), first, last });
  }

  static async #start(cluster?: ClusterNode): Promise<RedisServer> {
    const directory = await mkdtemp(path.join(tmpdir(), 'messenger-redis-'));
    const server = new RedisServer(await freePort(), directory, cluster);
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
    await this.until('PING', '+PONG');
    if (!this.#cluster) return;
    // A cluster that was killed still knows its slots.
    await this.ask(`CLUSTER ADDSLOTSRANGE ${this.#cluster.first} ${this.#cluster.last}`);
    await this.until('CLUSTER INFO', 'cluster_state:ok');
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

  /** Makes its Redis Cluster one with that of another node. */
  async meet(other: RedisServer): Promise<void> {
    await this.ask(`CLUSTER MEET 127.0.0.1 ${other.#port} ${other.#cluster?.port}`);
  }

  /** Gives its slots to another node, as a failover does: it need not answer itself. `others` are the rest of the cluster. */
  async bequeath(heir: RedisServer, ...others: RedisServer[]): Promise<void> {
    const slots = `${this.#cluster?.first} ${this.#cluster?.last}`;
    for (const node of [heir, ...others]) await node.ask(`CLUSTER DELSLOTSRANGE ${slots}`);
    await heir.ask(`CLUSTER ADDSLOTSRANGE ${slots}`);
    for (const node of [heir, ...others]) await node.until('CLUSTER INFO', 'cluster_slots_ok:16384');
  }

  /** Whether it is the node that has the topic of the bus. */
  async has(topic: string): Promise<boolean> {
    const slot = Number((await this.ask(`CLUSTER KEYSLOT ${channelOf(topic)}`)).slice(1));
    return this.#cluster !== undefined && this.#cluster.first <= slot && slot <= this.#cluster.last;
  }

  /** How many processes are subscribed to a topic of the bus. */
  async subscribersOf(topic: string): Promise<number> {
    const answer = await this.ask(`PUBSUB ${this.#cluster ? 'SHARDNUMSUB' : 'NUMSUB'} ${channelOf(topic)}`);
    return Number(answer.split('\r\n').at(-2)?.slice(1));
  }

  /** Publishes on a topic of the bus what another process might. */
  async publish(topic: string, message: BusMessage): Promise<void> {
    const payload = JSON.stringify(`another process\n${JSON.stringify(message)}\n`);
    await this.ask(`PUBLISH ${channelOf(topic)} ${payload}`);
  }

  /** Ends it and removes what it left. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Waits until its answer to a command has this in it. */
  until(command: string, answer: string): Promise<void> {
    return eventually(async () => {
      const answered = await this.ask(command);
      if (!answered.includes(answer)) throw new Error(`Redis answers ${answered}`);
    });
  }
}

/** A Redis Cluster of three nodes without replicas. */
export class RedisCluster {
  readonly nodes: [RedisServer, RedisServer, RedisServer];

  private constructor(nodes: [RedisServer, RedisServer, RedisServer]) {
    this.nodes = nodes;
  }

  static async start(): Promise<RedisCluster> {
    const [second, third] = [5_461, 10_923];
    const [one, two, three] = await Promise.all([
      RedisServer.startNode(0, second - 1),
      RedisServer.startNode(second, third - 1),
      RedisServer.startNode(third, LAST_SLOT),
    ]);
    await one.meet(two);
    await one.meet(three);
    for (const node of [one, two, three]) {
      for (const line of ['cluster_slots_ok:16384', 'cluster_size:3', 'cluster_state:ok']) await node.until('CLUSTER INFO', line);
    }
    return new RedisCluster([one, two, three]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}
