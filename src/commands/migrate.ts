import type { Sequelize } from 'sequelize-typescript';
import { createMigrator, withMigrationLock } from '../db/migrator.ts';
import { OperatorError } from '../errors.ts';
import { runOnDatabase, say } from './run.ts';

const USAGE =
  'Usage: npm run migrate -- up | down | status\n  up      brings the schema up to date\n  down    takes the newest migration back\n  status  lists what has run and what has not';

async function migrate(database: Sequelize): Promise<void> {
  const [action] = process.argv.slice(2);
  const migrator = createMigrator(database);
  if (action === 'up' || action === 'down') {
    const done = await withMigrationLock(database, () => (action === 'up' ? migrator.up() : migrator.down()));
    say(done.length > 0 ? done.map(({ name }) => `${action}: ${name}`).join('\n') : 'nothing to do');
  } else if (action === 'status') {
    for (const { name } of await migrator.executed()) say(`up       ${name}`);
    for (const { name } of await migrator.pending()) say(`pending  ${name}`);
  } else {
    throw new OperatorError(USAGE);
  }
}

await runOnDatabase(migrate);
