import { createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { z } from 'zod';

const ISSUER = 'messenger';
const AUDIENCE = 'messenger';

const payload = z.object({ sub: z.uuid(), sid: z.uuid(), exp: z.number() });

/** What a token says. It is worth something only while the session exists. */
export interface Claims {
  userId: string;
  sessionId: string;
  expiresAt: Date;
}

/** Signs and checks access tokens: HS256, nothing else. */
export class Tokens {
  /** A key and not a string: of a string `jsonwebtoken` would first find out, at every token and for most of a millisecond, that it is no PEM. */
  readonly #key: KeyObject;

  constructor(secret: string) {
    this.#key = createSecretKey(Buffer.from(secret));
  }

  sign({ userId, sessionId, expiresAt }: Claims): string {
    const exp = Math.ceil(expiresAt.getTime() / 1000);
    return jwt.sign({ sid: sessionId, exp }, this.#key, { algorithm: 'HS256', subject: userId, issuer: ISSUER, audience: AUDIENCE });
  }

  /** What the token says; undefined when it is missing, forged or expired. */
  verify(token: string | undefined): Claims | undefined {
    try {
      const verified = jwt.verify(token ?? '', this.#key, { algorithms: ['HS256'], issuer: ISSUER, audience: AUDIENCE });
      const { sub, sid, exp } = payload.parse(verified);
      return { userId: sub, sessionId: sid, expiresAt: new Date(exp * 1000) };
    } catch {
      return undefined;
    }
  }
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}
