import { randomUUID } from 'node:crypto';
import type { LoadClient } from './loadClient.ts';
import type { Sample } from './samples.ts';

/** One who writes, and one of those who receive what is written, who does not write. */
export interface Lane {
  sender: LoadClient;
  receiver: LoadClient;
  type: 'privateMessage' | 'messageInGroup';
  /** Where to: the params beside `messageId` and `content`. */
  to: object;
}

const REQUEST_ID = '"requestId":"';
const MESSAGE_ID = '"messageId":"';
const CONTENT = 'Hello there, how are you doing today?';

/** Sends messages, and follows each until its sender has the acknowledgement and its receiver the broadcast. */
class Post {
  /** Milliseconds that each message took, from when it was due. */
  readonly latencies: number[] = [];
  /** Resolves when no more are to be sent and all are done; rejects when one is refused or a connection ends. */
  readonly done: Promise<void>;
  readonly #pending = new Map<string, { lane: Lane; dueAt: number; answered: boolean; received: boolean }>();
  readonly #onArrival: (lane: Lane) => void;
  #finish: (error?: Error) => void = () => {};
  #ending = false;

  constructor(lanes: Lane[], onArrival: (lane: Lane) => void = () => {}) {
    this.#onArrival = onArrival;
    const clients = lanes.flatMap(({ sender, receiver }) => [sender, receiver]);
    for (const { sender, receiver } of lanes) {
      sender.onText = (text) => this.#answered(text);
      receiver.onText = (text) => this.#received(text);
    }
    for (const client of new Set(clients)) {
      void client.closed.then(() => this.#finish(new Error('a connection was closed')));
    }
    this.done = new Promise<void>((resolve, reject) => {
      this.#finish = (error) => (error ? reject(error) : resolve());
    }).finally(() => {
      for (const client of clients) client.onText = undefined;
    });
  }

  /** Sends a message whose time counts from `dueAt`. */
  send(lane: Lane, dueAt: number): void {
    const messageId = randomUUID();
    this.#pending.set(messageId, { lane, dueAt, answered: false, received: false });
    lane.sender.send(JSON.stringify({ type: lane.type, requestId: messageId, params: { messageId, content: CONTENT, ...lane.to } }));
  }

  /** No more are to be sent. */
  end(): void {
    this.#ending = true;
    if (this.#pending.size === 0) this.#finish();
  }

  #answered(text: string): void {
    if (text.startsWith('{"error"')) this.#finish(new Error(`the server answered: ${text}`));
    else this.#arrived('answered', idAfter(REQUEST_ID, text, text.lastIndexOf(REQUEST_ID)));
  }

  #received(text: string): void {
    this.#arrived('received', idAfter(MESSAGE_ID, text, text.indexOf(MESSAGE_ID)));
  }

  #arrived(what: 'answered' | 'received', messageId = ''): void {
    const message = this.#pending.get(messageId);
    if (!message) return;
    message[what] = true;
    if (!message.answered || !message.received) return;
    this.#pending.delete(messageId);
    this.latencies.push(performance.now() - message.dueAt);
    this.#onArrival(message.lane);
    if (this.#ending && this.#pending.size === 0) this.#finish();
  }
}

/** An id is all that is read of a frame, and is found and not parsed, so that the load takes less of the machine. */
function idAfter(key: string, text: string, at: number): string | undefined {
  return at < 0 ? undefined : text.slice(at + key.length, at + key.length + 36);
}

/**
 * Sends messages for some seconds, `inFlight` of each lane at a time. A message is done when its sender has the acknowledgement
 * and its receiver the broadcast; then the next is sent. Resolves when all are done.
 */
export async function exchange(lanes: Lane[], inFlight: number, seconds: number): Promise<Sample> {
  const begin = performance.now();
  const post = new Post(lanes, (lane) => {
    const now = performance.now();
    if (now - begin < seconds * 1000) post.send(lane, now);
    else post.end();
  });
  for (const lane of lanes) for (let count = 0; count < inFlight; count++) post.send(lane, performance.now());
  await post.done;
  return { count: post.latencies.length, seconds: (performance.now() - begin) / 1000, latencies: post.latencies };
}

/**
 * Sends messages at a fixed rate, whatever becomes of them, the lanes in turn. Times count from when a message should have been sent,
 * so that a load that is held up itself does not hide how long people would have waited.
 */
export async function exchangeSteadily(lanes: Lane[], perSecond: number, seconds: number): Promise<Sample> {
  const post = new Post(lanes);
  const total = Math.ceil(perSecond * seconds);
  const begin = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (; sent < total; sent++) {
      const dueAt = begin + (sent * 1000) / perSecond;
      const lane = lanes[sent % lanes.length];
      if (!lane || dueAt > performance.now()) return;
      post.send(lane, dueAt);
    }
    clearInterval(timer);
    post.end();
  }, 1);
  await post.done.finally(() => clearInterval(timer));
  return { count: post.latencies.length, seconds: (performance.now() - begin) / 1000, latencies: post.latencies };
}
