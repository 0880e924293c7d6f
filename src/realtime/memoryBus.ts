import type { Bus, BusListener, BusMessage } from './bus.ts';

const SUBSCRIBED = Promise.resolve();

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

  publish(topic: string, message: BusMessage, text = ''): void {
    if (this.#topics.has(topic)) this.#listener?.receive(topic, message, text);
  }

  async close(): Promise<void> {
    this.#listener = undefined;
  }
}
