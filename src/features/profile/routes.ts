import type { Transaction } from 'sequelize';
import { z } from 'zod';
import type { User } from '../../db/models/user.ts';
import type { Env } from '../../env.ts';
import { AppError } from '../../errors.ts';
import { type Route, route } from '../../http/route.ts';
import type { Context } from '../../operation.ts';
import { personName } from '../../schemas.ts';
import { newPassword, password } from '../auth/passwordSchemas.ts';
import { changePassword } from './changePassword.ts';
import { deleteAccount } from './deleteAccount.ts';

const message = z.object({ message: z.string() });

/** The caller's account, which may have been deleted since the token was checked; within a transaction it is locked. */
async function callerOf({ userId, services: { database } }: Context, transaction?: Transaction): Promise<User> {
  const locked = transaction && { transaction, lock: transaction.LOCK.NO_KEY_UPDATE };
  const user = await database.users.findOne({ where: { id: userId, deletedAt: null }, ...locked });
  if (!user) throw new AppError('unauthorized');
  return user;
}

const show = route({
  method: 'get',
  path: '/profile',
  summary: 'My account',
  params: z.strictObject({}),
  status: 200,
  answer: z.object({ data: z.object({ id: z.uuid(), email: z.string(), firstName: z.string(), lastName: z.string().nullable() }) }),
  errors: [],
  async handle(context) {
    const { id, email, firstName, lastName } = await callerOf(context);
    return { data: { id, email, firstName, lastName } };
  },
});

const rename = route({
  method: 'patch',
  path: '/profile',
  aliases: ['/profile/update'],
  summary: 'Change my name',
  params: z.strictObject({ firstName: personName.optional(), lastName: personName.nullish() }),
  status: 200,
  answer: message,
  errors: [],
  async handle(context, names) {
    // Locked, because the text that search looks at is made of the whole row.
    await context.services.database.transaction(async (transaction) => {
      const user = await callerOf(context, transaction);
      await user.update(names, { transaction });
    });
    return { message: 'Profile updated' };
  },
});

const changeMyPassword = (env: Env) =>
  route({
    method: 'patch',
    path: '/profile/password',
    aliases: ['/profile/change-password'],
    summary: 'Change my password; my other sessions end',
    limit: 'password',
    params: z.strictObject({ oldPassword: password, newPassword: newPassword(env) }),
    status: 200,
    answer: message,
    errors: ['wrong_password'],
    async handle(context, passwords) {
      await changePassword(context, passwords);
      return { message: 'Password changed' };
    },
  });

const destroy = route({
  method: 'delete',
  path: '/profile',
  aliases: ['/profile/destroy'],
  summary: 'Delete my account; all sessions end, I leave my groups, my messages stay',
  params: z.strictObject({}),
  status: 200,
  answer: message,
  errors: [],
  async handle(context) {
    await deleteAccount(context);
    return { message: 'Account deleted' };
  },
});

export const profileRoutes = (env: Env): Route[] => [show, rename, changeMyPassword(env), destroy];
