import type { Duplex } from 'node:stream';

let corked: Duplex[] = [];

/** Lets all that this turn of the event loop writes to a socket go to the system at once, when the turn ends. */
export function joinWrites(socket: Duplex): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  if (corked.push(socket) === 1) setImmediate(uncorkAll);
}

function uncorkAll(): void {
  const sockets = corked;
  corked = [];
  for (const socket of sockets) socket.uncork();
}
