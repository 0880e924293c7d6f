import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/** The way of one server to Redis, which can be cut. */
export class Way {
  /** Where the server finds Redis. */
  readonly url: string;
  readonly #close: () => Promise<void>;
  /** Both ends of each connection. */
  readonly #sockets = new Set<Socket>();
  /** Those of which something was dropped: what comes after a hole is never passed. */
  readonly #torn = new Set<Socket>();
  #isCut = false;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** Opens one to what listens on `target`, a port of the loopback address. */
  static async open(target: number): Promise<Way> {
    const listener = createServer((client) => {
      const server = createConnection(target, '127.0.0.1');
      way.#relay(client, server);
      way.#relay(server, client);
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    if (!address || typeof address === 'string') throw new Error('the way has no port');
    const way = new Way(`redis://127.0.0.1:${address.port}`, async () => {
      const closed = once(listener, 'close');
      listener.close();
      await closed;
    });
    return way;
  }

  /** Whatever passes is dropped, in both directions, and nobody is told. */
  cut(): void {
    this.#isCut = true;
  }

  /** What comes now passes, on connections that lost nothing; the others end. */
  mend(): void {
    this.#isCut = false;
    for (const socket of this.#torn) socket.destroy();
    this.#torn.clear();
  }

  async close(): Promise<void> {
    const closed = this.#close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #relay(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (chunk) => {
      if (this.#isCut) this.#torn.add(from);
      else to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      this.#torn.delete(from);
      to.destroy();
    });
  }
}
