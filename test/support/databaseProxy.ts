import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/** A way to the database that the test can block. */
export interface DatabaseProxy {
  /** Where a server finds the database by this way. */
  url: string;
  /** Nothing gets through any more, in either direction, and nobody is told: as if the database, or the way to it, had frozen. */
  freeze(): void;
  /** What was held up goes through. */
  thaw(): void;
  /** The next COMMIT arrives, but nobody hears of it: its connection ends instead of the answer. Resolves when that has happened. */
  loseCommit(): Promise<void>;
  /** The next COMMIT arrives, and its answer comes late. Resolves when the COMMIT is on its way, with what lets the answer through. */
  holdCommit(): Promise<() => void>;
  /** Ends all connections and refuses new ones. */
  refuse(): Promise<void>;
  /** Accepts connections again. */
  accept(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a way to the database at `databaseUrl`. */
export async function openProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  /** Connections to the database whose next answer is lost. */
  const doomed = new WeakSet<Socket>();
  let frozen = false;
  let onCommitLost: (() => void) | undefined;
  let onCommitHeld: ((release: () => void) => void) | undefined;
  const relay = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (chunk) => {
      if (doomed.has(from)) {
        to.destroy();
        onCommitLost?.();
        onCommitLost = undefined;
        return;
      }
      if (onCommitLost && chunk.includes('COMMIT')) doomed.add(to);
      if (onCommitHeld && chunk.includes('COMMIT')) {
        to.pause();
        onCommitHeld(() => to.resume());
        onCommitHeld = undefined;
      }
      to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    if (frozen) from.pause();
  };
  const listener = createServer((client) => {
    const server = createConnection(Number(target.port), target.hostname);
    relay(client, server);
    relay(server, client);
  });
  const listen = async (port: number) => {
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    if (!address || typeof address === 'string') throw new Error('the proxy has no port');
    return address.port;
  };
  const refuse = async () => {
    const closed = once(listener, 'close');
    listener.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const port = await listen(0);
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    loseCommit: () =>
      new Promise((resolve) => {
        onCommitLost = resolve;
      }),
    holdCommit: () =>
      new Promise((resolve) => {
        onCommitHeld = resolve;
      }),
    refuse,
    async accept() {
      await listen(port);
    },
    close: refuse,
  };
}
