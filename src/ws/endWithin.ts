import type { WebSocket } from 'ws';

/** Ends a connection that is being closed when its client does not do its part in so many milliseconds. */
export function endWithin(timeout: number, client: WebSocket): void {
  const timer = setTimeout(() => client.terminate(), timeout);
  client.once('close', () => clearTimeout(timer));
}
