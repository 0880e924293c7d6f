import type { ErrorRequestHandler } from 'express';
import { z } from 'zod';
import { toAppError } from '../db/databaseErrors.ts';
import { AppError, type ErrorCode } from '../errors.ts';

/** Errors of Express and its body parser; `type` says what kind it is. */
const httpError = z.object({ status: z.int().min(400).max(499), type: z.string().optional() });

const CODE_OF_TYPE = new Map<string | undefined, ErrorCode>([
  ['entity.parse.failed', 'invalid_json'],
  ['entity.verify.failed', 'invalid_json'],
  ['entity.too.large', 'body_too_large'],
  ['charset.unsupported', 'not_json'],
  ['encoding.unsupported', 'not_json'],
]);

/** Answers every error of the HTTP side, here and nowhere else. */
export const errorHandler: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) return next(error);
  const { status, message, code, issues, retryAfter } = expressError(error) ?? toAppError(error, response.locals);
  if (retryAfter !== undefined) response.set('Retry-After', String(retryAfter));
  if (status === 401) response.set('WWW-Authenticate', 'Bearer');
  response.status(status).json({ message, code, errors: code === 'invalid_params' ? issues : undefined });
};

/** What an error of Express itself is told as; undefined for any other. */
function expressError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return undefined;
  const known = httpError.safeParse(error);
  return known.success ? new AppError(CODE_OF_TYPE.get(known.data.type) ?? 'invalid_request') : undefined;
}
