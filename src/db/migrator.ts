import { QueryTypes, type Transaction } from 'sequelize';
import { Umzug, type UmzugStorage } from 'umzug';
import { migrations } from '../../migrations/index.ts';
import type { Database } from './sequelize.ts';

/** A step of the schema, and the way back. */
export interface SqlMigration {
  name: string;
  up: string;
  down: string;
}

/** Any number, the same in every process: whoever holds it may change the schema. */
const MIGRATION_LOCK = 7_301_926;

/**
 * Runs `work` in a transaction, while no other process runs such work on the same database; others wait.
 * What is done in it and what is noted as done are committed together, or not at all.
 */
export function withMigrationLock<T>(database: Database, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return database.transaction(async (transaction) => {
    // An operator may have set one for the role. A migration takes as long as it takes, and so does waiting for another one.
    await database.query('SET LOCAL statement_timeout = 0', { transaction });
    await database.query('SELECT pg_advisory_xact_lock($1)', { bind: [MIGRATION_LOCK], type: QueryTypes.SELECT, transaction });
    return work(transaction);
  });
}

/** Notes what has run in the table `table`, as part of the transaction. */
export async function storageIn(database: Database, table: 'migrations' | 'seeders', transaction: Transaction): Promise<UmzugStorage> {
  await database.query(`CREATE TABLE IF NOT EXISTS ${table} (name text PRIMARY KEY)`, { transaction });
  return {
    async logMigration({ name }) {
      await database.query(`INSERT INTO ${table} (name) VALUES ($1)`, { bind: [name], transaction });
    },
    async unlogMigration({ name }) {
      await database.query(`DELETE FROM ${table} WHERE name = $1`, { bind: [name], transaction });
    },
    async executed() {
      const rows = await database.query<{ name: string }>(`SELECT name FROM ${table} ORDER BY name`, {
        type: QueryTypes.SELECT,
        transaction,
      });
      return rows.map(({ name }) => name);
    },
  };
}

/** The migrations of a database whose migration lock the transaction holds. */
export async function createMigrator(database: Database, transaction: Transaction): Promise<Umzug> {
  const run = (sql: string) => () => database.query(sql, { transaction });
  return new Umzug({
    migrations: migrations.map(({ name, up, down }) => ({ name, up: run(up), down: run(down) })),
    storage: await storageIn(database, 'migrations', transaction),
    logger: undefined,
  });
}

/** Brings the schema up to date. Any number of servers may call it at once. */
export function migrate(database: Database): Promise<void> {
  return withMigrationLock(database, async (transaction) => {
    await (await createMigrator(database, transaction)).up();
  });
}
