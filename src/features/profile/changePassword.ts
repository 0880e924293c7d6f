import type { Transaction } from 'sequelize';
import { AppError } from '../../errors.ts';
import type { Context } from '../../operation.ts';
import { endSessions } from '../auth/sessions.ts';

/**
 * Changes the caller's password and ends the caller's other sessions, at once on open connections.
 * @throws {AppError} `wrong_password` when the old one is wrong, also when it was changed meanwhile
 */
export async function changePassword(
  { userId, sessionId, services: { database, publisher, passwords } }: Context,
  { oldPassword, newPassword }: { oldPassword: string; newPassword: string },
): Promise<void> {
  const known = (await database.users.findByPk(userId))?.passwordHash;
  if (!(await passwords.matches(oldPassword, known))) throw new AppError('wrong_password');
  const passwordHash = await passwords.hash(newPassword);
  const change = async (transaction: Transaction) => {
    const [changed] = await database.users.update(
      { passwordHash },
      { where: { id: userId, passwordHash: known ?? null, deletedAt: null }, transaction },
    );
    if (changed === 0) throw new AppError('wrong_password');
    await endSessions(database, userId, transaction, sessionId);
  };
  await database.change(change, () => publisher.reconnect(userId));
  publisher.revoke(userId, sessionId);
}
