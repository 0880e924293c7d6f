import { type Logger, pino } from 'pino';
import { describeError } from './describeError.ts';
import { LogThrottle } from './logThrottle.ts';

export type { Logger };

/** Structured logs on standard output, or in `file`. Never log tokens, passwords, e-mails or message content. */
export function createLogger(level: string, file?: string): Logger {
  const destination = pino.destination({ dest: file ?? 1, sync: true });
  // A line that cannot be written, on a full disk say, is lost: the server goes on.
  destination.on('error', () => {});
  return pino({ level, serializers: { err: describeError } }, destination);
}

/** Most warnings of libraries in so many milliseconds. */
const WARNINGS = { count: 10, interval: 10_000 };

/** Takes what libraries warn of on the console into the log: Sequelize tells there of every transaction that fails with its connection. */
export function captureWarnings(logger: Logger): void {
  const warnings = new LogThrottle(WARNINGS);
  console.warn = (message: unknown) => warnings.log((heldBack) => logger.warn(heldBack, String(message)));
}
