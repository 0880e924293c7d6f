import { ConnectionError } from 'sequelize';
import { OperatorError } from '../errors.ts';

/** What to tell the person at the terminal when a start or a command failed; a stack only where the reason is not a known one. */
export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof OperatorError)
    return error.cause instanceof Error ? `${error.message}\n(${error.cause.message.trim()})` : error.message;
  if (error instanceof ConnectionError) return `The database of DATABASE_URL cannot be used: ${error.message}`;
  return error.stack ?? error.message;
}
