import { toAppError } from '../db/databaseErrors.ts';
import { AppError } from '../errors.ts';
import type { Context, Operation } from '../operation.ts';
import { answerFrame, type Envelope, errorFrame, PROCESSOR } from './envelope.ts';

/** Runs a request and returns the frame that answers it. Never rejects: here, and nowhere else, failures become error frames. */
export async function dispatch(context: Context, operation: Operation | undefined, { type, params, requestId }: Envelope): Promise<string> {
  if (type === undefined) return errorFrame(PROCESSOR, new AppError('invalid_frame'), requestId);
  if (!operation) return errorFrame(PROCESSOR, new AppError('unknown_type'), requestId);
  try {
    return answerFrame(type, await operation.run(context, params ?? {}), requestId);
  } catch (error) {
    return errorFrame(type, toAppError(error, context.services.logger), requestId);
  }
}
