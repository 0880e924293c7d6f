import { createApp } from './app.ts';
import { provideDatabase } from './db/provide.ts';
import { type Env, readEnv } from './env.ts';
import { explainFailure } from './lib/explainFailure.ts';
import { createLogger } from './lib/logger.ts';
import { stopOnSignal } from './lib/shutdown.ts';

async function main(): Promise<void> {
  const env = readEnv();
  const logger = createLogger(env.LOG_LEVEL);
  const undo: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  stopOnSignal(stop, logger);
  try {
    const database = await provideDatabase(env, logger);
    undo.push(() => database.stop());
    const app = await createApp(env, database.url, logger);
    undo.push(() => app.stop());
    const port = await app.start();
    welcome(env, port, database.embedded);
  } catch (error) {
    await stop();
    throw error;
  }
}

function welcome(env: Env, port: number, embedded: boolean): void {
  const address = `localhost:${port}`;
  process.stdout.write(
    [
      '',
      `  Messenger is listening on http://${address} and ws://${address}/api/ws`,
      `  API documentation         http://${address}/api/`,
      `  Data                      ${embedded ? env.DATA_DIR : 'the PostgreSQL server of DATABASE_URL'}`,
      '',
      '  Try next: `npm run seed` in another terminal makes people, groups and messages to play with.',
      '  The README has a tour of five minutes. Ctrl-C stops the server.',
      '',
      '',
    ].join('\n'),
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${explainFailure(error)}\n`);
  process.exit(1);
});
