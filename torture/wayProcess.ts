import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/**
 * The way of one server to Redis, which `way.ts` starts and commands. A process of its own: in that of the clients, what servers tell
 * each other would be held up for seconds by whatever the clients have to do.
 */

/** Ends of connections of which something was dropped: what comes after a hole is never passed. */
const torn = new Set<Socket>();
let isCut = false;

function relay(from: Socket, to: Socket): void {
  from.on('data', (chunk) => {
    if (isCut) torn.add(from);
    else to.write(chunk);
  });
  from.on('error', () => {});
  from.on('close', () => {
    torn.delete(from);
    to.destroy();
  });
}

const listener = createServer((client) => {
  const server = createConnection(Number(process.argv[2]), '127.0.0.1');
  relay(client, server);
  relay(server, client);
}).listen(0, '127.0.0.1');
await once(listener, 'listening');
process.send?.(listener.address());

process.on('message', (command) => {
  isCut = command === 'cut';
  if (!isCut) for (const socket of torn) socket.destroy();
  process.send?.(command);
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
