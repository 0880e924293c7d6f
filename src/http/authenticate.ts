import { AppError } from '../errors.ts';
import { isActive } from '../features/auth/sessions.ts';
import { bearerToken } from '../features/auth/tokens.ts';
import type { Context, Services } from '../operation.ts';

/**
 * Whom an `Authorization` header speaks for.
 * @throws {AppError} `unauthorized` when its token is missing, forged, expired or revoked
 */
export async function authenticate(services: Services, header: string | undefined): Promise<Context> {
  const claims = services.tokens.verify(bearerToken(header));
  if (!claims || !(await isActive(services.database, claims))) throw new AppError('unauthorized');
  return { userId: claims.userId, sessionId: claims.sessionId, connection: undefined, services };
}
