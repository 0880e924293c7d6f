import type { Transaction } from 'sequelize';
import type { Database } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';

/**
 * For what needs no more than a place in a dialog: who deletes an account leaves its groups, but not its dialogs, and it takes a moment
 * until connections to other processes end.
 * @throws {AppError} `unauthorized` when the account is deleted
 */
export async function requireAccount(database: Database, userId: string, transaction: Transaction | null = null): Promise<void> {
  const count = await database.users.count({ where: { id: userId, deletedAt: null }, transaction });
  if (count === 0) throw new AppError('unauthorized');
}
