import { createApp } from './app.ts';
import { provideDatabase } from './db/provide.ts';
import { type Env, readEnv } from './env.ts';
import { explainFailure } from './lib/explainFailure.ts';
import { captureWarnings, createLogger } from './lib/logger.ts';
import { stopOnSignal } from './lib/shutdown.ts';
import { PrimaryLink } from './workers/primaryLink.ts';
import { WorkerGroup } from './workers/workerGroup.ts';

/** To the process that started this one as one of its workers, if it is one. */
const primary = PrimaryLink.open();

async function main(): Promise<void> {
  const env = readEnv();
  const logger = createLogger(env.LOG_LEVEL);
  captureWarnings(logger);
  const undo: (() => Promise<void>)[] = [];
  const undoAll = async () => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= undoAll();
    return stopped;
  };
  stopOnSignal(stop, logger);
  try {
    // A signal may come while the database starts: then it is stopped as soon as it has.
    const starting = provideDatabase(env, logger);
    undo.push(() =>
      starting.then(
        (database) => database.stop(),
        () => {},
      ),
    );
    const database = await starting;
    const app =
      env.WORKERS > 1 && !primary
        ? new WorkerGroup(env.WORKERS, database.url, logger)
        : await createApp(env, database.url, logger, primary);
    undo.push(() => app.stop());
    const port = await app.start();
    if (primary) primary.started(port);
    else {
      logger.info({ host: env.HOST, port }, `listening on http://localhost:${port}`);
      if (!env.production) welcome(env, port, database.embedded);
    }
  } catch (error) {
    await stop();
    throw error;
  }
}

function welcome(env: Env, port: number, embedded: boolean): void {
  // What cannot be written, on a full disk say, is lost: the server goes on.
  process.stdout.on('error', () => {});
  const address = `localhost:${port}`;
  process.stdout.write(
    [
      '',
      `  Messenger is listening on http://${address} and ws://${address}/api/ws`,
      `  API documentation         http://${address}/api/`,
      `  of the WebSocket          http://${address}/api/ws-docs/`,
      `  Data                      ${embedded ? env.DATA_DIR : 'the PostgreSQL server of DATABASE_URL'}`,
      '',
      '  Try next: `npm run seed` in another terminal makes people, groups and messages to play with.',
      '  The README has a tour of five minutes. Ctrl-C stops the server.',
      '',
      '',
    ].join('\n'),
  );
}

main().catch(async (error: unknown) => {
  const reason = explainFailure(error);
  if (primary) await primary.failed(reason);
  else process.stderr.write(`${reason}\n`);
  process.exit(1);
});
