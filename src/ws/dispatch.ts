import { toAppError } from '../db/databaseErrors.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Context, Operation } from '../operation.ts';
import { answerFrame, type Envelope, errorFrame, PROCESSOR } from './envelope.ts';

/** What answers a request. */
export interface Reply {
  /** Its frame. */
  text: string;
  /** How the request counts: its type, or `processor` where there is no such type, and `ok` or the error code. */
  type: string;
  outcome: string;
}

/**
 * Runs a request and returns what answers it. Never rejects: here, and nowhere else, failures become error frames.
 * The context's logger is asked for only when there is a line to write.
 */
export async function dispatch(
  context: Context & { readonly logger: Logger },
  operation: Operation | undefined,
  { type, params, requestId }: Envelope,
): Promise<Reply> {
  if (type === undefined || !operation) {
    const error = new AppError(type === undefined ? 'invalid_frame' : 'unknown_type');
    return { text: errorFrame(PROCESSOR, error, requestId), type: PROCESSOR, outcome: error.code };
  }
  try {
    const answer = await operation.run(context, params ?? {});
    return { text: answerFrame(type, answer, requestId), type, outcome: 'ok' };
  } catch (error) {
    const failure = toAppError(error, context);
    return { text: errorFrame(type, failure, requestId), type, outcome: failure.code };
  }
}
