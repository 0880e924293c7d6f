import type { Duplex } from 'node:stream';

let held: Duplex[] = [];

/** Lets all that this turn of the event loop writes to a socket go to the system at once, when the turn ends. */
export function joinWrites(socket: Duplex): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  if (held.push(socket) === 1) setImmediate(releaseAll);
}

function releaseAll(): void {
  const sockets = held;
  held = [];
  for (const socket of sockets) socket.uncork();
}
