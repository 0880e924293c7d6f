import type { Umzug } from 'umzug';
import { createMigrator, withMigrationLock } from '../db/migrator.ts';
import type { Database } from '../db/sequelize.ts';
import { OperatorError } from '../errors.ts';
import { runOnDatabase, say } from './run.ts';

const USAGE = `Usage: npm run migrate -- up | down | status
  up      brings the schema up to date
  down    takes the newest migration back
  status  lists what has run and what has not`;

const ACTIONS = new Map<string | undefined, (migrator: Umzug) => Promise<string[]>>([
  ['up', async (migrator) => (await migrator.up()).map(({ name }) => `up: ${name}`)],
  ['down', async (migrator) => (await migrator.down()).map(({ name }) => `down: ${name}`)],
  [
    'status',
    async (migrator) => [
      ...(await migrator.executed()).map(({ name }) => `up       ${name}`),
      ...(await migrator.pending()).map(({ name }) => `pending  ${name}`),
    ],
  ],
]);

async function migrate(database: Database): Promise<void> {
  const action = ACTIONS.get(process.argv[2]);
  if (!action) throw new OperatorError(USAGE);
  await withMigrationLock(database, async (transaction) => {
    const lines = await action(await createMigrator(database, transaction));
    say(lines.join('\n') || 'nothing to do');
  });
}

await runOnDatabase(migrate);
