import pg from 'pg';
import { ConnectionError, DatabaseError, TimeoutError } from 'sequelize';
import { AppError } from '../errors.ts';
import type { Logger } from '../lib/logger.ts';

/**
 * SQLSTATE classes of a database that goes away, has no room for us, or chose us to give way, and the system's errors of a
 * connection: all worth another try.
 */
const PASSING = /^(08|53|57P0|40|ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN)/;
/** `pg` gives these errors no code. */
const NO_CONNECTION = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** What the client is told of a failure. An unexpected one is logged, and shown as no more than `internal`. */
export function toAppError(error: unknown, logger: Logger): AppError {
  if (error instanceof AppError) return error;
  if (isUnavailable(error)) {
    logger.warn({ reason: error instanceof Error ? error.message : 'unknown' }, 'the database cannot be reached');
    return new AppError('unavailable', { cause: error });
  }
  logger.error({ err: withoutData(error) }, 'unexpected failure');
  return new AppError('internal', { cause: error });
}

function isUnavailable(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  return PASSING.test(codeOf(error) ?? '') || (error instanceof Error && NO_CONNECTION.test(error.message));
}

/** The statement of a failed query, its parameters and the details hold what people wrote. */
function withoutData(error: unknown): unknown {
  if (!(error instanceof DatabaseError || error instanceof pg.DatabaseError)) return error;
  return { message: error.message, code: codeOf(error), stack: error.stack };
}

/** The SQLSTATE of a failed query, or the system's word for a failed connection. */
function codeOf(error: unknown): string | undefined {
  const cause: unknown = error instanceof DatabaseError ? error.original : error;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
