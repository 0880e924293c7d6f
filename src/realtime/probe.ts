/** How often one is sent, in milliseconds. */
const INTERVAL = 1_000;
/** How many may be on their way at a time. They are counted and not timed: a process that was busy itself is not to blame it on the way. */
const MAX_ON_THEIR_WAY = 3;

interface ProbeOptions {
  /** Sends it on every topic. */
  send(payload: string): void;
  /** On each topic one came back in time. */
  returned(): void;
  /** On one of the topics none came back for too long. */
  lost(): void;
}

/** Sends itself messages, to see that messages arrive, and in time, on each of some topics. */
export class Probe {
  readonly #options: ProbeOptions;
  #timer: NodeJS.Timeout | undefined;
  /** The number of the last one. */
  #last = 0;
  /** The first one on the connection that there is now: earlier ones say nothing of it. Undefined while there is none. */
  #first: number | undefined;
  /** The last one when all topics had been heard, or when there was another reason to wait. */
  #heardAt = 0;
  #topics: string[] = [];
  /** Topics that have not been heard since all had been. */
  #missing = new Set<string>();

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), INTERVAL).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Something else is on its way still. */
  wait(): void {
    this.#heardAt = this.#last;
  }

  /** There is a connection, and the topics are subscribed to. */
  begin(topics: string[]): void {
    this.#topics = topics;
    this.#missing = new Set(topics);
    this.#first = this.#last + 1;
    this.#send();
  }

  /** There is none any more. */
  end(): void {
    this.#first = undefined;
  }

  /** Takes what came back, and passes over what is no probe. */
  received(topic: string, payload: string): void {
    if (!this.#missing.has(topic)) return;
    const number = Number(payload.split('\n')[1]);
    if (this.#first === undefined || number < this.#first || this.#last - number > MAX_ON_THEIR_WAY) return;
    this.#missing.delete(topic);
    if (this.#missing.size > 0) return;
    this.#missing = new Set(this.#topics);
    this.#heardAt = this.#last;
    this.#options.returned();
  }

  #tick(): void {
    if (this.#last - this.#heardAt > MAX_ON_THEIR_WAY) {
      this.#heardAt = this.#last;
      this.#options.lost();
    }
    this.#send();
  }

  #send(): void {
    this.#last += 1;
    this.#options.send(`${this.#last}`);
  }
}
