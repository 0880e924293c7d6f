import type { Duplex } from 'node:stream';

let held: Duplex[] = [];

/**
 * Lets all that is written to a socket by what runs now, and by the promises that it settles, go to the system at once.
 * Returns whether nothing was held back yet.
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
