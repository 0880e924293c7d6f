import type { Duplex } from 'node:stream';

let held: Duplex[] = [];

/** Lets all that is written to a socket by what runs now, and by the promises that it settles, go to the system at once. */
export function joinWrites(socket: Duplex): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  if (held.push(socket) === 1) process.nextTick(releaseAll);
}

function releaseAll(): void {
  const sockets = held;
  held = [];
  for (const socket of sockets) socket.uncork();
}
