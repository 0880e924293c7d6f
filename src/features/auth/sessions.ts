import { Op, type Transaction } from 'sequelize';
import type { Session } from '../../db/models/session.ts';
import type { User } from '../../db/models/user.ts';
import type { Database } from '../../db/sequelize.ts';
import type { Claims } from './tokens.ts';

/**
 * Begins a session for the user whose password hash is still `passwordHash`; undefined when it was changed meanwhile.
 * The row of the user is locked, so a password change, which ends the sessions it sees, sees this one or comes first.
 */
export function beginSession(database: Database, user: User, seconds: number): Promise<Session | undefined> {
  return database.transaction(async (transaction) => {
    const where = { id: user.id, passwordHash: user.passwordHash };
    if (!user.passwordHash || !(await database.users.findOne({ where, lock: transaction.LOCK.SHARE, transaction }))) return undefined;
    await database.sessions.destroy({ where: { userId: user.id, expiresAt: { [Op.lte]: new Date() } }, transaction });
    return database.sessions.create({ userId: user.id, expiresAt: new Date(Date.now() + seconds * 1000) }, { transaction });
  });
}

/** Ends the user's sessions, save the one with the id `exceptId`. */
export async function endSessions(database: Database, userId: string, transaction: Transaction, exceptId?: string): Promise<void> {
  await database.sessions.destroy({ where: { userId, ...(exceptId && { id: { [Op.ne]: exceptId } }) }, transaction });
}

/** Whether the session that the token names still exists. */
export async function isActive(database: Database, { sessionId, userId }: Claims): Promise<boolean> {
  return (await database.sessions.count({ where: { id: sessionId, userId } })) > 0;
}
