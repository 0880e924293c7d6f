import { setTimeout as delay } from 'node:timers/promises';
import type { Services } from '../operation.ts';
import type { Subscriber } from '../realtime/subscriber.ts';

/** Least time between two passes over all connections while the bus is away, in milliseconds. */
const INTERVAL = 5_000;
/** And as much more as a pass over a great many takes, so many times. */
const REST = 10;
/** How long to wait when the database did not answer, in milliseconds. */
const RETRY = 1_000;
/** Connections that are looked after at a time. */
const CHUNK = 200;

/**
 * Looks up in the database what connections may receive, when changes of it may not have been heard: messages of the bus were lost, or
 * it is away. Ends those whose session has ended, moves the others to their groups, and tells them to catch up if they asked for that.
 */
export class Refresher {
  readonly #services: Services;
  readonly #connections: ReadonlySet<Subscriber>;
  readonly #timer: NodeJS.Timeout;
  /** Those to be looked after, and whether they are told to catch up: while the bus is away it would do no good yet. */
  readonly #due = new Map<Subscriber, boolean>();
  #isRunning = false;
  #isClosed = false;
  #restUntil = 0;

  constructor(services: Services, connections: ReadonlySet<Subscriber>) {
    this.#services = services;
    this.#connections = connections;
    services.hub.on('loss', (subscribers) => this.#add(subscribers ?? connections, true));
    this.#timer = setInterval(() => {
      if (services.bus.failure !== undefined && performance.now() >= this.#restUntil) this.#add(connections, false);
    }, INTERVAL).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  #add(subscribers: Iterable<Subscriber>, tells: boolean): void {
    for (const subscriber of subscribers) this.#due.set(subscriber, tells || this.#due.get(subscriber) === true);
    if (!this.#isRunning) void this.#run();
  }

  /** One chunk after the other. Never rejects. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    const begunAt = performance.now();
    while (this.#due.size > 0 && !this.#isClosed) {
      const chunk = [...this.#due].slice(0, CHUNK);
      for (const [subscriber] of chunk) this.#due.delete(subscriber);
      const areRefreshed = await Promise.all(chunk.map(([subscriber]) => this.#refresh(subscriber)));
      const refreshed = chunk.filter((_, index) => areRefreshed[index]);
      this.#services.hub.tell(
        refreshed.flatMap(([subscriber, tells]) => (tells ? [subscriber] : [])),
        'catchUp',
        {},
      );
      if (refreshed.length === chunk.length) continue;
      for (const [subscriber, tells] of chunk.filter((_, index) => !areRefreshed[index])) this.#add([subscriber], tells);
      await delay(RETRY, undefined, { ref: false });
    }
    this.#restUntil = performance.now() + (performance.now() - begunAt) * REST;
    this.#isRunning = false;
  }

  /** Resolves with false when the database did not answer. */
  async #refresh(subscriber: Subscriber): Promise<boolean> {
    const { hub, sessionReader } = this.#services;
    hub.beginReading(subscriber);
    const groupIds = await sessionReader.groupsOf(subscriber).catch(() => null);
    if (groupIds) await hub.open(subscriber, groupIds);
    else if (groupIds === undefined) subscriber.revoke();
    else return !this.#connections.has(subscriber);
    return true;
  }
}
