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
 * Looks up in the database what connections may receive: when changes of it may not have been heard, because messages of the bus were
 * lost or it is away; and after each change that was heard, which may have come late. Ends those whose session has ended, moves the others
 * to their groups, and tells them to catch up, if they asked for that and may have missed something.
 */
export class Refresher {
  readonly #services: Services;
  readonly #connections: ReadonlySet<Subscriber>;
  readonly #timer: NodeJS.Timeout;
  /** Those to be looked after, and whether they are told to catch up in any case: while the bus is away it would do no good yet. */
  readonly #due = new Map<Subscriber, boolean>();
  #isRunning = false;
  #isClosed = false;
  #restUntil = 0;

  constructor(services: Services, connections: ReadonlySet<Subscriber>) {
    this.#services = services;
    this.#connections = connections;
    services.hub.on('loss', (subscribers) => this.#add(subscribers ?? connections, true));
    services.hub.on('moved', (subscribers) => this.#add(subscribers, false));
    this.#timer = setInterval(() => {
      if (services.bus.failure !== undefined && performance.now() >= this.#restUntil) this.#add(connections, false);
    }, INTERVAL).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  #add(subscribers: Iterable<Subscriber>, tells: boolean): void {
    for (const subscriber of subscribers) {
      if (subscriber.isOpen) this.#due.set(subscriber, tells || this.#due.get(subscriber) === true);
      // What was read for it may be old already.
      else if (tells) subscriber.reconnect();
    }
    if (!this.#isRunning) void this.#run();
  }

  /** One chunk after the other. Never rejects. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    const begunAt = performance.now();
    while (this.#due.size > 0 && !this.#isClosed) {
      const chunk = [...this.#due].slice(0, CHUNK);
      for (const [subscriber] of chunk) this.#due.delete(subscriber);
      const outcomes = await Promise.all(chunk.map(([subscriber]) => this.#refresh(subscriber)));
      const told = chunk.filter(([, tells], index) => outcomes[index] === 'moved' || (outcomes[index] === 'same' && tells));
      this.#services.hub.tell(
        told.map(([subscriber]) => subscriber),
        'catchUp',
        {},
      );
      const failed = chunk.filter((_, index) => outcomes[index] === 'failed');
      if (failed.length === 0) continue;
      for (const [subscriber, tells] of failed) this.#add([subscriber], tells);
      await delay(RETRY, undefined, { ref: false });
    }
    this.#restUntil = Math.max(this.#restUntil, performance.now() + (performance.now() - begunAt) * REST);
    this.#isRunning = false;
  }

  /** Resolves with whether the connection came into a group, or the database did not answer. */
  async #refresh(subscriber: Subscriber): Promise<'moved' | 'same' | 'failed'> {
    const { hub, sessionReader } = this.#services;
    hub.beginReading(subscriber);
    const groupIds = await sessionReader.groupsOf(subscriber).catch(() => null);
    if (groupIds) return (await hub.open(subscriber, groupIds)) ? 'moved' : 'same';
    if (groupIds === null) return this.#connections.has(subscriber) ? 'failed' : 'same';
    subscriber.revoke();
    return 'same';
  }
}
