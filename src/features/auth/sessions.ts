import { Op, type Transaction } from 'sequelize';
import type { Sequelize } from 'sequelize-typescript';
import { Member } from '../../db/models/member.ts';
import { Session } from '../../db/models/session.ts';
import { User } from '../../db/models/user.ts';
import type { Claims } from './tokens.ts';

/**
 * Begins a session for the user whose password hash is still `passwordHash`; undefined when it was changed meanwhile.
 * The row of the user is locked, so a password change, which ends the sessions it sees, sees this one or comes first.
 */
export function beginSession(database: Sequelize, user: User, seconds: number): Promise<Session | undefined> {
  return database.transaction(async (transaction) => {
    const where = { id: user.id, passwordHash: user.passwordHash };
    if (!user.passwordHash || !(await User.findOne({ where, lock: transaction.LOCK.SHARE, transaction }))) return undefined;
    await Session.destroy({ where: { userId: user.id, expiresAt: { [Op.lte]: new Date() } }, transaction });
    return Session.create({ userId: user.id, expiresAt: new Date(Date.now() + seconds * 1000) }, { transaction });
  });
}

/** Ends the user's sessions, save the one with the id `exceptId`. */
export async function endSessions(userId: string, transaction: Transaction, exceptId?: string): Promise<void> {
  await Session.destroy({ where: { userId, ...(exceptId && { id: { [Op.ne]: exceptId } }) }, transaction });
}

/** Whether the session that the token names still exists. */
export async function isActive({ sessionId, userId }: Claims): Promise<boolean> {
  return (await Session.count({ where: { id: sessionId, userId } })) > 0;
}

/** The ids of the user's groups. */
export async function groupIdsOf(userId: string, transaction: Transaction | null = null): Promise<string[]> {
  const rows = await Member.findAll({ where: { userId, companionId: null }, attributes: ['conversationId'], raw: true, transaction });
  return rows.map(({ conversationId }) => conversationId);
}
