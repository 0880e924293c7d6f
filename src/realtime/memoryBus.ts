import type { Bus, BusListener, BusMessage } from './bus.ts';

const SUBSCRIBED = Promise.resolve();
const NOBODY = Promise.resolve(0);
const ONE = Promise.resolve(1);

/** The bus of a server that is alone. */
export class MemoryBus implements Bus {
  readonly isShared = false;
  readonly failure = undefined;
  readonly #topics = new Set<string>();
  #listener: BusListener | undefined;

  async start(listener: BusListener): Promise<void> {
    this.#listener = listener;
  }

  subscribe(topic: string): Promise<void> {
    this.#topics.add(topic);
    return SUBSCRIBED;
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic);
  }

  publish(topic: string, message: BusMessage, text = ''): Promise<number> {
    if (!this.#topics.has(topic)) return NOBODY;
    this.#listener?.receive(topic, message, text);
    return ONE;
  }

  async close(): Promise<void> {
    this.#listener = undefined;
  }
}
