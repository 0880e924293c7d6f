/** How long a client may take to answer a close frame, in milliseconds. */
const SOON = 2_000;
/** The same for one that reads slowly: what was written to it before comes first. */
const LATER = 30_000;

/** Why the server closes a connection, and how long it waits for the client to do its part. */
export const CLOSE = {
  unauthorized: { code: 4001, reason: 'Unauthorized', timeout: SOON },
  rateLimited: { code: 1008, reason: 'Too many requests', timeout: SOON },
  tooManyConnections: { code: 1008, reason: 'Too many connections', timeout: SOON },
  internal: { code: 1011, reason: 'Internal error', timeout: SOON },
  restart: { code: 1012, reason: 'The server restarts, reconnect', timeout: SOON },
  inDoubt: { code: 1012, reason: 'Reconnect', timeout: SOON },
  slowReader: { code: 1013, reason: 'Read too slowly, reconnect and catch up', timeout: LATER },
} as const;

export type CloseReason = (typeof CLOSE)[keyof typeof CLOSE];

/** What each code with which the server closes a connection tells the client. */
export const CLOSE_CODES = {
  1002: 'what the client sent is not the WebSocket protocol',
  1007: 'a text is not UTF-8',
  1008: 'too many requests, too many connections of this user, or too many fragments, as the reason says',
  1009: 'a frame is too large',
  1011: 'an internal error',
  1012: 'the server restarts: connect again',
  1013: 'the client read too slowly: connect again and catch up',
  4001: 'not, or no longer, authorized: log in',
} as const satisfies Record<CloseReason['code'] | 1002 | 1007 | 1009, string>;

/** How `ws` closes a connection for what it received, by the code of its error; for any other with 1002. */
const CODE_OF_VIOLATION = new Map<unknown, number>([
  ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009],
  ['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008],
  ['WS_ERR_INVALID_UTF8', 1007],
]);

/** The close code for an error of `ws`, which reads no more from such a client and so reports 1006 in the end. */
export function codeOfViolation(error: Error): number {
  return CODE_OF_VIOLATION.get('code' in error ? error.code : undefined) ?? 1002;
}

/** What a close is counted as. Clients may make up codes from 3000 on: those are one. */
export function closeLabel(code: number): string {
  return code < 3000 || code === CLOSE.unauthorized.code ? String(code) : 'other';
}
