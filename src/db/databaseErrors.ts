import pg from 'pg';
import { ConnectionError, DatabaseError, TimeoutError } from 'sequelize';
import { AppError } from '../errors.ts';
import type { Logger } from '../lib/logger.ts';
import { LogThrottle } from '../lib/logThrottle.ts';

/**
 * SQLSTATE classes of a database that goes away, lets nobody in, has no room for us, takes too long, chose us to give way, fails at
 * its disk or may not be written to while another takes over, and the system's errors of a connection: all worth another try.
 */
const PASSING = /^(08|25006|25P03|28|3D|40|53|57014|57P0|58|ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN|EMFILE|ENFILE)/;
/** `pg` gives these errors no code. */
const NO_CONNECTION =
  /^(Connection terminated|timeout e|Query read timeout|Client (has encountered a connection error|was closed)|Cannot use a pool after calling end)/;
/** Most lines about failures in so many milliseconds: when the database is away, every request fails. */
const FAILURE_LINES = { count: 10, interval: 10_000 };

const outages = new LogThrottle(FAILURE_LINES);
const surprises = new LogThrottle(FAILURE_LINES);

/** What the client is told of a failure. An unexpected one is logged, and shown as no more than `internal`. */
export function toAppError(error: unknown, logger: Logger): AppError {
  if (error instanceof AppError) return error;
  if (isUnavailable(error)) {
    const reason = error instanceof Error ? error.message : 'unknown';
    outages.log((heldBack) => logger.warn({ reason, ...heldBack }, 'the database does not answer'));
    return new AppError('unavailable', { cause: error });
  }
  surprises.log((heldBack) => logger.error({ err: withoutData(error), ...heldBack }, 'unexpected failure'));
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
