import { ConnectionError, TimeoutError } from 'sequelize';
import { AppError } from '../errors.ts';
import { codeOf } from '../lib/describeError.ts';
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

/**
 * What the client is told of a failure. An unexpected one is logged, and shown as no more than `internal`.
 * The logger of `source` is asked for only when there is a line to write: it may have to be made.
 */
export function toAppError(error: unknown, source: { readonly logger: Logger }): AppError {
  if (error instanceof AppError) return error;
  if (isUnavailable(error)) {
    const reason = error instanceof Error ? error.message : 'unknown';
    outages.log((heldBack) => source.logger.warn({ reason, ...heldBack }, 'the database does not answer'));
    return new AppError('unavailable', { cause: error });
  }
  surprises.log((heldBack) => source.logger.error({ err: error, ...heldBack }, 'unexpected failure'));
  return new AppError('internal', { cause: error });
}

/** Whether it is the database, or the way to it, that failed for now, and not what it was asked. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  return PASSING.test(codeOf(error) ?? '') || (error instanceof Error && NO_CONNECTION.test(error.message));
}
