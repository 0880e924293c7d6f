import type { Logger } from './logger.ts';

/** How long a stop may take, in milliseconds. */
const DEADLINE = 10_000;
/** One Ctrl-C may come twice: from the terminal, and passed on by the program that started this one. In milliseconds. */
const ECHO = 500;

/** At SIGTERM or SIGINT runs `stop` and exits with 0; with 1 when it fails, takes too long, or a second signal comes. */
export function stopOnSignal(stop: () => Promise<void>, logger: Logger): void {
  let stoppingSince: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stoppingSince !== undefined) {
      if (Date.now() - stoppingSince > ECHO) process.exit(1);
      return;
    }
    stoppingSince = Date.now();
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error('could not stop in time');
      process.exit(1);
    }, DEADLINE).unref();
    stop().then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error(error, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
