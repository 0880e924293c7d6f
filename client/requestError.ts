import type { ERRORS, ErrorCode, Issue } from '../src/errors.ts';

/** Why the client itself fails a request: the connection was lost before the answer, the frame was too large, or the client has ended. */
type OwnCode = 'disconnected' | 'frame_too_large' | 'closed';
type RetryableCode = { [Code in ErrorCode]: (typeof ERRORS)[Code]['retryable'] extends true ? Code : never }[ErrorCode];

/** Complete by its type: what the server calls retryable stands here. */
const RETRYABLE: Record<RetryableCode, true> = { rate_limited: true, too_many_connections: true, busy: true, unavailable: true };

/** Why a request failed. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: ErrorCode | OwnCode;
  /** What is wrong with the params, for `invalid_params`. */
  readonly issues: Issue[];
  /** Seconds after which to try again, for `rate_limited`. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode | OwnCode, message: string, details: { issues?: Issue[]; retryAfter?: number } = {}) {
    super(message);
    this.code = code;
    this.issues = details.issues ?? [];
    this.retryAfter = details.retryAfter;
  }

  /** Whether the same request may succeed later. */
  get isRetryable(): boolean {
    return this.code in RETRYABLE;
  }
}

/** The application has closed the client, or was told that it has ended. */
export const closed = (): RequestError => new RequestError('closed', 'The client was closed');

/** What was under way when the server did not accept the token any more. */
export const unauthorized = (): RequestError => new RequestError('unauthorized', 'The server does not accept the token');
