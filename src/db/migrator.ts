import { QueryTypes, type Sequelize } from 'sequelize';
import { SequelizeStorage, Umzug } from 'umzug';
import { migrations } from '../../migrations/index.ts';

/** A step of the schema, and the way back. Each runs as one transaction. */
export interface SqlMigration {
  name: string;
  up: string;
  down: string;
}

/** Any number, the same in every process: whoever holds it may change the schema. */
const MIGRATION_LOCK = 7_301_926;

/** Migrations of the database behind `sequelize`. Call it inside `withMigrationLock`. */
export function createMigrator(sequelize: Sequelize) {
  return new Umzug({
    migrations: migrations.map(({ name, up, down }) => ({ name, up: () => sequelize.query(up), down: () => sequelize.query(down) })),
    storage: new SequelizeStorage({ sequelize, tableName: 'migrations' }),
    logger: undefined,
  });
}

/** Runs `work` while no other process runs such work on the same database; others wait. */
export function withMigrationLock<T>(sequelize: Sequelize, work: () => Promise<T>): Promise<T> {
  return sequelize.transaction(async (transaction) => {
    await sequelize.query('SELECT pg_advisory_xact_lock($1)', { bind: [MIGRATION_LOCK], type: QueryTypes.SELECT, transaction });
    return work();
  });
}

/** Brings the schema up to date. Any number of servers may call it at once. */
export function migrate(sequelize: Sequelize): Promise<void> {
  return withMigrationLock(sequelize, async () => {
    await createMigrator(sequelize).up();
  });
}
