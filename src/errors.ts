/**
 * Every error that a client can see, once: the HTTP status, the text, and whether the same request may succeed later.
 * Over the WebSocket the status is not shown; code and text are the same.
 */
export const ERRORS = {
  invalid_json: { status: 400, message: 'This is not valid JSON', retryable: false },
  invalid_frame: { status: 400, message: 'Send a text frame with a JSON object that has a type', retryable: false },
  unknown_type: { status: 400, message: 'There is no such type', retryable: false },
  invalid_params: { status: 400, message: 'The request is not valid, see the list of what is wrong', retryable: false },
  invalid_request: { status: 400, message: 'The request could not be read', retryable: false },
  wrong_credentials: { status: 400, message: 'No such user exists or wrong password', retryable: false },
  wrong_password: { status: 400, message: 'The old password is wrong', retryable: false },
  unauthorized: { status: 401, message: 'Unauthorized', retryable: false },
  origin_refused: { status: 403, message: 'This origin is not allowed', retryable: false },
  not_a_member: { status: 403, message: 'User is not a member of this group', retryable: false },
  no_shared_chat: { status: 403, message: 'You share no chat with some of these users', retryable: false },
  not_an_admin: { status: 403, message: 'Only the owner and the admins of the group may do this', retryable: false },
  not_the_owner: { status: 403, message: 'Only the owner of the group may do this', retryable: false },
  not_the_author: { status: 403, message: 'Only who wrote the message may do this', retryable: false },
  too_late_to_edit: { status: 403, message: 'The message is too old to be edited', retryable: false },
  no_such_chat: { status: 404, message: 'There is no such chat', retryable: false },
  no_such_member: { status: 404, message: 'This user is not in the group', retryable: false },
  no_such_message: { status: 404, message: 'There is no such message', retryable: false },
  no_such_user: { status: 404, message: 'There is no such user', retryable: false },
  not_found: { status: 404, message: 'There is nothing at this address', retryable: false },
  already_a_member: { status: 409, message: 'the user is already in the group', retryable: false },
  email_taken: { status: 409, message: 'This e-mail is already registered', retryable: false },
  group_id_taken: { status: 409, message: 'This groupId is already taken', retryable: false },
  message_id_taken: { status: 409, message: 'This messageId is already taken', retryable: false },
  too_many_reactions: {
    status: 409,
    message: 'The message has as many different reactions as it can have, or as you can add',
    retryable: false,
  },
  body_too_large: { status: 413, message: 'The body is too large', retryable: false },
  not_json: { status: 415, message: 'Send JSON, with the header Content-Type: application/json', retryable: false },
  upgrade_required: { status: 426, message: 'Connect here with a WebSocket', retryable: false },
  rate_limited: { status: 429, message: 'Too many requests, try again later', retryable: true },
  too_many_connections: { status: 429, message: 'This user has too many connections, close one first', retryable: true },
  internal: { status: 500, message: 'Something went wrong here', retryable: false },
  busy: { status: 503, message: 'The server is busy, try again', retryable: true },
  unavailable: { status: 503, message: 'The database does not answer, try again', retryable: true },
} as const satisfies Record<string, { status: number; message: string; retryable: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

/** One thing that is wrong in a request: where, and what it should be. */
export interface Issue {
  path: string;
  message: string;
}

/** An expected failure, told to the client by its code. Everything else that is thrown is told as `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly issues: Issue[] | undefined;
  /** Seconds after which to try again, for `rate_limited`. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, details: { issues?: Issue[]; retryAfter?: number; cause?: unknown } = {}) {
    super(ERRORS[code].message, { cause: details.cause });
    this.code = code;
    this.issues = details.issues;
    this.retryAfter = details.retryAfter;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** A failure told to the person who runs the server: the message says what is wrong and what to do, and no stack is shown. */
export class OperatorError extends Error {}
