import { hash } from 'bcryptjs';
import { Umzug } from 'umzug';
import { seedDemo } from '../../seeders/demo.ts';
import { DEMO_PASSWORD, emailOf, PEOPLE } from '../../seeders/people.ts';
import { migrate, storageIn, withMigrationLock } from '../db/migrator.ts';
import type { Database } from '../db/sequelize.ts';
import type { Env } from '../env.ts';
import { OperatorError } from '../errors.ts';
import { runOnDatabase, say } from './run.ts';

async function seed(database: Database, env: Env): Promise<void> {
  if (env.production && !process.argv.includes('--force')) {
    throw new OperatorError('This is production, and demo accounts share one known password. If you mean it: npm run seed -- --force');
  }
  await migrate(database);
  let made = 'The demo data is there already; nothing was changed.';
  await withMigrationLock(database, async (transaction) => {
    const demo = {
      name: 'demo',
      async up() {
        const passwordHash = await hash(DEMO_PASSWORD, env.BCRYPT_ROUNDS);
        const { users, groups, messages } = await seedDemo(database, passwordHash, transaction);
        made = `Made ${users} users, ${groups} groups and ${messages} messages.`;
      },
    };
    const storage = await storageIn(database, 'seeders', transaction);
    await new Umzug({ migrations: [demo], storage, logger: undefined }).up();
  });
  say(`${made}\nLog in as ${emailOf(0)} to ${emailOf(PEOPLE.length - 1)}, all with the password ${DEMO_PASSWORD}`);
}

await runOnDatabase(seed);
