import { z } from 'zod';
import { User } from '../../db/models/user.ts';
import type { Env } from '../../env.ts';
import { AppError } from '../../errors.ts';
import { type Route, route } from '../../http/route.ts';
import type { Context } from '../../operation.ts';
import { personName } from '../../schemas.ts';
import { newPassword, password } from '../auth/passwordSchemas.ts';
import { changePassword } from './changePassword.ts';
import { deleteAccount } from './deleteAccount.ts';

const message = z.object({ message: z.string() });

/** The caller's account, which may have been deleted since the token was checked. */
async function callerOf({ userId }: Context): Promise<User> {
  const user = await User.findOne({ where: { id: userId, deletedAt: null } });
  if (!user) throw new AppError('unauthorized');
  return user;
}

const show = route({
  method: 'get',
  path: '/profile',
  summary: 'My account',
  params: z.object({}),
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
    const user = await callerOf(context);
    await user.update(names);
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
    errors: ['wrong_password', 'busy'],
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
  params: z.object({}),
  status: 200,
  answer: message,
  errors: [],
  async handle(context) {
    await deleteAccount(context);
    return { message: 'Account deleted' };
  },
});

export const profileRoutes = (env: Env): Route[] => [show, rename, changeMyPassword(env), destroy];
