/** How often one is sent, in milliseconds. */
const INTERVAL = 1_000;
/** How long one may take to come back, in milliseconds. */
const MAX_DELAY = 3_000;

interface ProbeOptions {
  topic: string;
  send(payload: string): void;
  /** One came back in time. */
  returned(): void;
  /** None came back for too long. */
  lost(): void;
}

/** Sends itself messages, to see that messages arrive, and in time. */
export class Probe {
  readonly topic: string;
  readonly #options: ProbeOptions;
  #timer: NodeJS.Timeout | undefined;
  /** What was sent earlier says nothing of the connection that there is now; undefined while there is none. */
  #validSince: number | undefined;
  /** When one came back last, or there was another reason to wait. */
  #heardAt = 0;

  constructor(options: ProbeOptions) {
    this.topic = options.topic;
    this.#options = options;
  }

  start(): void {
    this.#heardAt = performance.now();
    this.#timer = setInterval(() => this.#tick(), INTERVAL).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Something else is on its way still. */
  wait(): void {
    this.#heardAt = performance.now();
  }

  /** There is a connection. */
  begin(): void {
    this.#validSince = performance.now();
    this.#send();
  }

  /** There is none any more. */
  end(): void {
    this.#validSince = undefined;
  }

  /** Takes what came back. */
  received(payload: string): void {
    const now = performance.now();
    const sentAt = Number(payload.split('\n')[1]);
    if (this.#validSince === undefined || sentAt < this.#validSince || now - sentAt > MAX_DELAY) return;
    this.#heardAt = now;
    this.#options.returned();
  }

  #tick(): void {
    const now = performance.now();
    if (now - this.#heardAt <= MAX_DELAY) this.#send();
    else {
      this.#heardAt = now;
      this.#options.lost();
    }
  }

  #send(): void {
    this.#options.send(`${performance.now()}`);
  }
}
