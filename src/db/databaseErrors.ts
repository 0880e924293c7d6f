import { BaseError, ConnectionError, DatabaseError, TimeoutError } from 'sequelize';
import { AppError } from '../errors.ts';
import type { Logger } from '../lib/logger.ts';

/** SQLSTATE classes of a database that goes away, has no room for us, or chose us to give way: all worth another try. */
const PASSING = /^(08|53|57P0|40)/;

/** What the client is told of a failure. An unexpected one is logged, and shown as no more than `internal`. */
export function toAppError(error: unknown, logger: Logger): AppError {
  if (error instanceof AppError) return error;
  if (isUnavailable(error)) {
    logger.warn({ reason: error instanceof Error ? error.message : 'unknown' }, 'the database cannot be reached');
    return new AppError('unavailable', { cause: error });
  }
  // The statement and its parameters hold what people wrote.
  const reason = error instanceof DatabaseError ? { message: error.message, code: sqlState(error), stack: error.stack } : error;
  logger.error({ err: reason }, 'unexpected failure');
  return new AppError('internal', { cause: error });
}

function isUnavailable(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  if (!(error instanceof BaseError)) return false;
  return PASSING.test(sqlState(error) ?? '') || /^Connection terminated|ECONNRESET|EPIPE/.test(error.message);
}

function sqlState(error: BaseError): string | undefined {
  const cause: unknown = error instanceof DatabaseError ? error.original : undefined;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
