import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Database } from './db/sequelize.ts';
import type { Bus } from './realtime/bus.ts';
import type { PrimaryLink } from './workers/primaryLink.ts';

const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** What the server tells Prometheus of itself. Each server has its own, so that one process may hold several. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #registers = [this.#registry];
  /** By type and outcome. Counted here and handed over at a scrape: prom-client would build a string for every request. */
  readonly #requests = new Map<string, Map<string, number>>();
  readonly #primary: PrimaryLink | undefined;
  readonly #queues = new Map<string, () => number>();

  readonly connections = new Gauge({
    name: 'messenger_connections',
    help: 'Open WebSocket connections',
    registers: this.#registers,
  });
  readonly connectionsOpened = new Counter({
    name: 'messenger_connections_opened_total',
    help: 'WebSocket connections that were opened for a user',
    registers: this.#registers,
  });
  readonly connectionsClosed = new Counter({
    name: 'messenger_connections_closed_total',
    help: 'WebSocket connections that were closed, by close code: 1006 is a client that vanished, "other" any code that a client made up',
    labelNames: ['code'],
    registers: this.#registers,
  });
  readonly upgradesRefused = new Counter({
    name: 'messenger_upgrades_refused_total',
    help: 'Requests for a WebSocket that were refused, by error code',
    labelNames: ['code'],
    registers: this.#registers,
  });
  readonly deliveries = new Counter({
    name: 'messenger_deliveries_total',
    help: 'Broadcast frames, one for each connection that they were handed to',
    registers: this.#registers,
  });
  readonly slowReaders = new Counter({
    name: 'messenger_slow_readers_dropped_total',
    help: 'Connections that were closed because they did not read what was sent to them',
    registers: this.#registers,
  });
  /** In seconds. Its count is the number of requests. */
  readonly httpRequests = new Histogram({
    name: 'messenger_http_request_duration_seconds',
    help: 'HTTP requests, by method, route pattern ("other" where none matched) and status ("aborted" where the client did not wait)',
    labelNames: ['method', 'route', 'status'],
    buckets: DURATIONS,
    registers: this.#registers,
  });
  readonly busPublished = new Counter({
    name: 'messenger_bus_published_total',
    help: 'Messages that were handed to Redis for other processes',
    registers: this.#registers,
  });
  readonly busReceived = new Counter({
    name: 'messenger_bus_received_total',
    help: 'Messages that came from other processes',
    registers: this.#registers,
  });
  readonly busLost = new Counter({
    name: 'messenger_bus_lost_total',
    help: 'Messages for other processes that Redis did not take',
    registers: this.#registers,
  });
  readonly #batchSize = new Histogram({
    name: 'messenger_batch_size',
    help: 'Jobs in one batch, by kind',
    labelNames: ['kind'],
    buckets: SIZES,
    registers: this.#registers,
  });
  readonly #batchDuration = new Histogram({
    name: 'messenger_batch_duration_seconds',
    help: 'Time that the database took for one batch, by kind',
    labelNames: ['kind'],
    buckets: DURATIONS,
    registers: this.#registers,
  });

  /** With the link of a worker, the metrics of all workers are read together. */
  constructor(primary?: PrimaryLink) {
    this.#primary = primary;
    primary?.shareMetrics(() => this.#registry.getMetricsAsJSON());
    collectDefaultMetrics({ register: this.#registry });
    const [requests, queues, registers] = [this.#requests, this.#queues, this.#registers];
    new Counter({
      name: 'messenger_requests_total',
      help: 'WebSocket requests, by type ("processor" where there is no such type) and outcome: "ok" or the error code',
      labelNames: ['type', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const [type, outcomes] of requests) for (const [outcome, count] of outcomes) this.inc({ type, outcome }, count);
      },
    });
    new Gauge({
      name: 'messenger_queue_depth',
      help: 'Jobs that wait for their turn, by queue',
      labelNames: ['queue'],
      registers,
      collect() {
        for (const [queue, depth] of queues) this.set({ queue }, depth());
      },
    });
  }

  /**
   * What Prometheus reads. Resolves also while the database is away.
   * @throws {AppError} `unavailable` when this is a worker and its primary does not answer
   */
  text(): Promise<string> {
    return this.#primary ? this.#primary.readMetrics() : this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Counts a WebSocket request. `type` must be one of a registry or `processor`, never a text of a client. */
  countRequest(type: string, outcome: string): void {
    let outcomes = this.#requests.get(type);
    if (!outcomes) {
      outcomes = new Map();
      this.#requests.set(type, outcomes);
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  /** `flush`, measured: how many jobs it is given, and how long it takes, also when it fails. */
  measureBatches<Job, Result>(kind: string, flush: (jobs: Job[]) => Promise<Result>): (jobs: Job[]) => Promise<Result> {
    const size = this.#batchSize.labels(kind);
    const duration = this.#batchDuration.labels(kind);
    return (jobs) => {
      size.observe(jobs.length);
      const end = duration.startTimer();
      return flush(jobs).finally(end);
    };
  }

  /** Shows how many wait in a queue. */
  watchQueue(queue: string, depth: () => number): void {
    this.#queues.set(queue, depth);
  }

  /** Shows how many topics are heard here. */
  watchTopics(count: () => number): void {
    new Gauge({
      name: 'messenger_topics',
      help: 'Topics that this process hears: users and groups of its connections, what they watch, and to whom they type',
      registers: this.#registers,
      collect() {
        this.set(count());
      },
    });
  }

  /** Shows how far the index of words is behind. */
  watchIndex(seconds: () => number): void {
    new Gauge({
      name: 'messenger_search_index_behind_seconds',
      help: 'Age of the oldest message that is not in the index of words, 0 when there is none; read every few seconds, not at the scrape',
      registers: this.#registers,
      collect() {
        this.set(seconds());
      },
    });
  }

  /** Shows whether messages reach the other processes. */
  watchBus(bus: Bus): void {
    new Gauge({
      name: 'messenger_bus_up',
      help: '1 while messages reach the other processes through Redis, 0 while they do not; always 1 without REDIS_URL',
      registers: this.#registers,
      collect() {
        this.set(Number(bus.failure === undefined));
      },
    });
  }

  /** Shows whether the database answers, how its connections are used, and how many changes wait for those before them. */
  watchDatabase(database: Database): void {
    const registers = this.#registers;
    this.watchQueue('changes', () => database.waitingChanges);
    new Gauge({
      name: 'messenger_database_reachable',
      help: '1 when the database answers a question that is asked at the scrape, 0 when it does not',
      registers,
      async collect() {
        this.set(Number(await database.answers()));
      },
    });
    new Gauge({
      name: 'messenger_pool_connections',
      help: 'Connections to the database, by pool and state: busy or idle',
      labelNames: ['pool', 'state'],
      registers,
      collect() {
        for (const { pool, size, idle } of database.pools()) {
          this.set({ pool, state: 'busy' }, size - idle);
          this.set({ pool, state: 'idle' }, idle);
        }
      },
    });
    new Gauge({
      name: 'messenger_pool_waiting',
      help: 'Queries that wait for a connection to the database, by pool',
      labelNames: ['pool'],
      registers,
      collect() {
        for (const { pool, waiting } of database.pools()) this.set({ pool }, waiting);
      },
    });
  }
}
