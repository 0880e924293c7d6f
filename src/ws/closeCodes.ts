/** Why the server closes a connection. */
export const CLOSE = {
  unauthorized: { code: 4001, reason: 'Unauthorized' },
  rateLimited: { code: 1008, reason: 'Too many requests' },
  tooManyConnections: { code: 1008, reason: 'Too many connections' },
  internal: { code: 1011, reason: 'Internal error' },
  restart: { code: 1012, reason: 'The server restarts, reconnect' },
  slowReader: { code: 1013, reason: 'Read too slowly, reconnect and catch up' },
} as const;

export type CloseReason = (typeof CLOSE)[keyof typeof CLOSE];
