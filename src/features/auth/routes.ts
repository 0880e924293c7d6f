import { UniqueConstraintError } from 'sequelize';
import { z } from 'zod';
import { fold } from '../../db/searchText.ts';
import type { Env } from '../../env.ts';
import { AppError } from '../../errors.ts';
import { publicRoute, type Route } from '../../http/route.ts';
import type { Services } from '../../operation.ts';
import { isStorable, personName, STORABLE } from '../../schemas.ts';
import { newPassword, password } from './passwordSchemas.ts';
import { beginSession } from './sessions.ts';

const email = z.email('must be an e-mail address').max(254, 'must be at most 254 characters long').refine(isStorable, STORABLE);

const register = (env: Env) =>
  publicRoute({
    method: 'post',
    path: '/auth/register',
    aliases: ['/auth/sing-up', '/auth/sign-up'],
    summary: 'Make an account',
    limit: 'register',
    params: z.strictObject({ firstName: personName, lastName: personName.nullish(), email, password: newPassword(env) }),
    status: 201,
    answer: z.object({ message: z.string() }),
    errors: ['email_taken'],
    async handle({ database, passwords, rateLimits }, { firstName, lastName = null, email, password }) {
      await rateLimits.consume('registerAccount', fold(email));
      if (await database.users.count({ where: { email } })) throw new AppError('email_taken');
      try {
        await database.users.create({ firstName, lastName, email, passwordHash: await passwords.hash(password) });
      } catch (error) {
        throw error instanceof UniqueConstraintError ? new AppError('email_taken') : error;
      }
      return { message: 'Registered, now log in' };
    },
  });

const login = publicRoute({
  method: 'post',
  path: '/auth/login',
  summary: 'Log in: get an access token',
  limit: 'login',
  params: z.strictObject({ email: z.string().max(254, 'must be at most 254 characters long').refine(isStorable, STORABLE), password }),
  status: 200,
  answer: z.object({
    message: z.string(),
    token: z.string().describe('For the header `Authorization: Bearer <token>`, and for the WebSocket'),
    id: z.uuid(),
    email: z.string(),
    firstName: z.string(),
    lastName: z.string().nullable(),
  }),
  errors: ['wrong_credentials'],
  async handle(services, { email, password }) {
    const { rateLimits, tokens } = services;
    // Spellings that the database takes for one e-mail must not count apart.
    const account = fold(email);
    await rateLimits.consume('failedLogin', account);
    const forgive = () => rateLimits.forgive('failedLogin', account);
    const entered = await enter(services, email, password).catch(async (error: unknown) => {
      // Who tries again and again while the database is away is not to be kept out when it is back.
      await forgive();
      throw error;
    });
    if (!entered) throw new AppError('wrong_credentials');
    await forgive();
    const { user, session } = entered;
    const token = tokens.sign({ userId: user.id, sessionId: session.id, expiresAt: session.expiresAt });
    const { id, firstName, lastName } = user;
    return { message: 'Logged in', token, id, email: user.email, firstName, lastName };
  },
});

/** Begins a session for who has this e-mail and password; undefined when nobody has. */
async function enter({ database, env, passwords }: Services, email: string, password: string) {
  const user = await database.users.findOne({ where: { email } });
  const isRight = await passwords.matches(password, user?.passwordHash);
  const session = isRight && user ? await beginSession(database, user, env.JWT_EXPIRES_IN) : undefined;
  return user && session && { user, session };
}

export const authRoutes = (env: Env): Route[] => [register(env), login];
