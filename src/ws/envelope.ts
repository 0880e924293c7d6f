import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { Answer } from '../operation.ts';
import { parse } from '../schemas.ts';
import type { BroadcastItem, BroadcastType } from './broadcasts.ts';

/** What a request may carry for its answer to repeat. */
export const requestId = z.union([z.string(), z.number()], 'must be text or a number').describe('Repeated by what answers the request');

const envelope = z.object({
  /** Undefined when it is not a text: such a frame is answered with an error that repeats its `requestId`. */
  type: z.string().optional().catch(undefined),
  params: z.unknown().optional(),
  requestId: requestId.optional(),
});

/** A request, as it came over the wire; `params` are not checked yet. */
export type Envelope = z.output<typeof envelope>;
export type RequestId = Envelope['requestId'];

/** The `type` of errors about frames that belong to no operation. */
export const PROCESSOR = 'processor';

/**
 * Reads a frame.
 * @throws {AppError} `invalid_json`, or `invalid_frame` with what is wrong when it is JSON but no request can be read from it
 */
export function parseEnvelope(data: string): Envelope {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    throw new AppError('invalid_json');
  }
  return parse(envelope, json, 'invalid_frame');
}

export function answerFrame(type: string, { item, data, place }: Answer, requestId: RequestId): string {
  return JSON.stringify({ type, success: true, params: { item, data, isBroadcast: false, ...place }, requestId });
}

/** A frame that answers nobody. */
export function broadcastFrame<Type extends BroadcastType>(type: Type, item: BroadcastItem<Type>): string {
  return JSON.stringify({ type, success: true, params: { item, data: null, isBroadcast: true } });
}

export function errorFrame(type: string, { message, code, issues, retryAfter }: AppError, requestId?: RequestId): string {
  return JSON.stringify({ error: true, type, message, code, issues, retryAfter, requestId });
}
