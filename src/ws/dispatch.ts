import { toAppError } from '../db/databaseErrors.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Context, Operation } from '../operation.ts';
import { answerFrame, type Envelope, errorFrame, PROCESSOR } from './envelope.ts';

/**
 * Runs a request, counts it, and returns the frame that answers it. Never rejects: here, and nowhere else, failures become error frames.
 * The context's logger is asked for only when there is a line to write.
 */
export async function dispatch(
  context: Context & { readonly logger: Logger },
  operation: Operation | undefined,
  { type, params, requestId }: Envelope,
): Promise<string> {
  const { metrics } = context.services;
  if (type === undefined || !operation) {
    const error = new AppError(type === undefined ? 'invalid_frame' : 'unknown_type');
    metrics.countRequest(PROCESSOR, error.code);
    return errorFrame(PROCESSOR, error, requestId);
  }
  try {
    const answer = await operation.run(context, params ?? {});
    metrics.countRequest(type, 'ok');
    return answerFrame(type, answer, requestId);
  } catch (error) {
    const failure = toAppError(error, context);
    metrics.countRequest(type, failure.code);
    return errorFrame(type, failure, requestId);
  }
}
