import type { Duplex } from 'node:stream';

let held: Duplex[] = [];

/**
 * Lets what is written to a socket one after the other go to the system at once: by a callback of the event loop,
 * or by all promises that are settled together. Returns whether nothing of this socket was held back yet.
 */
export function joinWrites(socket: Duplex): boolean {
  if (socket.writableCorked > 0) return false;
  socket.cork();
  if (held.push(socket) === 1) process.nextTick(releaseAll);
  return true;
}

function releaseAll(): void {
  const sockets = held;
  held = [];
  for (const socket of sockets) socket.uncork();
}
