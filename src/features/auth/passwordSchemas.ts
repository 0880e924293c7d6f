import { z } from 'zod';
import type { Env } from '../../env.ts';
import { isStorable, STORABLE } from '../../schemas.ts';

/** What bcrypt looks at; the rest of a longer password would not count. */
const MAX_BYTES = 72;

/** A password to be compared with the one that was chosen. */
export const password = z.string().max(1024, 'must be at most 1024 characters long');

/** A password to be chosen. */
export const newPassword = ({ PASSWORD_MIN_LENGTH }: Env) =>
  z
    .string()
    .min(PASSWORD_MIN_LENGTH, `must be at least ${PASSWORD_MIN_LENGTH} characters long`)
    .refine((text) => Buffer.byteLength(text) <= MAX_BYTES, `must be at most ${MAX_BYTES} bytes long`)
    .refine(isStorable, STORABLE);
