import { type Logger, pino } from 'pino';

export type { Logger };

/** Structured logs on standard output. Never log tokens, passwords, e-mails or message content. */
export function createLogger(level: string): Logger {
  return pino({ level });
}
