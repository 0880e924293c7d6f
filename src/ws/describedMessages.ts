import { z } from 'zod';
import { place } from '../answers.ts';
import { AppError, type ErrorCode, type Issue } from '../errors.ts';
import { type JsonSchema, jsonSchema } from '../jsonSchema.ts';
import type { Answer, Operation } from '../operation.ts';
import { type BroadcastItem, type BroadcastType, broadcasts } from './broadcasts.ts';
import { answerFrame, broadcastFrame, errorFrame, PROCESSOR, requestId } from './envelope.ts';
import { broadcastExamples, requestExamples } from './examples/all.ts';

/** How any request can fail. */
export const COMMON_ERRORS: ErrorCode[] = ['invalid_params', 'unauthorized', 'rate_limited', 'busy', 'unavailable', 'internal'];
/** What is answered to a frame that belongs to no request type. */
export const PROCESSOR_ERRORS: ErrorCode[] = ['invalid_json', 'invalid_frame', 'unknown_type', 'rate_limited'];
/** The event that is no type of its own. */
export const OWN_MESSAGES = 'ownMessages';

/** What some errors say beside their code. */
const ERROR_DETAILS: { [Code in ErrorCode]?: { issues: Issue[] } | { retryAfter: number } } = {
  invalid_params: { issues: [{ path: 'limit', message: 'must be at most 100' }] },
  no_shared_chat: { issues: [{ path: 'userIds.0', message: 'shares no chat with you' }] },
  rate_limited: { retryAfter: 3 },
};

/** Errors that name a field where another one than usual is wrong. */
const MAY_NAME_FIELDS: ErrorCode[] = ['invalid_frame', 'no_such_message', 'no_such_user'];

/** What examples carry as `requestId`. */
const REQUEST_ID = 1;
const repeatedId = { requestId: requestId.optional() };

/** One kind of frame. */
export interface Message {
  title: string;
  payload: JsonSchema;
  examples: { name: string; payload: unknown }[];
}

interface RequestExample {
  summary: string;
  errors: ErrorCode[];
  params: unknown;
  answer: Answer;
}
const examples: Partial<Record<string, RequestExample>> = requestExamples;

const isBroadcastType = (type: string): type is BroadcastType => type in broadcasts;
export const broadcastTypes = Object.keys(broadcasts).filter(isBroadcastType);

/** What a request does. */
export const summaryOf = (type: string): string => examples[type]?.summary ?? type;
/** How a request can fail, beside the ways in which any can. */
export const errorsOf = (type: string): ErrorCode[] => examples[type]?.errors ?? [];

export function requestMessage(type: string, { params }: Operation): Message {
  const example = examples[type];
  return {
    title: type,
    payload: jsonSchema(z.object({ type: z.literal(type), params, ...repeatedId }), 'input', 'draft-7'),
    examples: example ? [{ name: 'request', payload: { type, params: example.params, requestId: REQUEST_ID } }] : [],
  };
}

/** The place of a message stands beside what the operation answers. */
export function answerMessage(type: string, { answer }: Operation): Message {
  if (!(answer instanceof z.ZodObject)) throw new Error(`the answer of ${type} is no object of known fields`);
  const { item, data, place: hasPlace }: Record<string, z.ZodType | undefined> = answer.shape;
  if (!item || !data) throw new Error(`the answer of ${type} has no item and data`);
  const params = z.object({ item, data, isBroadcast: z.literal(false), ...(hasPlace && place.shape) });
  const example = examples[type];
  return {
    title: `answer to ${type}`,
    payload: jsonSchema(success(type, params).extend(repeatedId), 'output', 'draft-7'),
    examples: example ? [{ name: 'answer', payload: JSON.parse(answerFrame(type, example.answer, REQUEST_ID)) }] : [],
  };
}

export function broadcastMessage<Type extends BroadcastType>(type: Type): Message {
  const params = z.object({ item: broadcasts[type], data: z.null(), isBroadcast: z.literal(true) });
  const example: { item: BroadcastItem<Type>; own?: BroadcastItem<Type> } | undefined = broadcastExamples[type];
  const named = (name: string, item: BroadcastItem<Type>) => ({ name, payload: JSON.parse(broadcastFrame(type, item)) });
  return {
    title: type,
    payload: jsonSchema(success(type, params), 'output', 'draft-7'),
    examples: example ? [named('broadcast', example.item), ...(example.own ? [named(OWN_MESSAGES, example.own)] : [])] : [],
  };
}

const success = (type: string, params: z.ZodObject) => z.object({ type: z.literal(type), success: z.literal(true), params });

const issues = z.array(z.object({ path: z.string(), message: z.string() }));

/** An error, as one of the request types may be answered. */
export function errorMessage(code: ErrorCode, types: string[]): Message {
  const details = ERROR_DETAILS[code] ?? {};
  const error = new AppError(code, details);
  // From what is no JSON nothing can be repeated.
  const repeatsId = code !== 'invalid_json';
  const payload = z.object({
    error: z.literal(true),
    type: z.string(),
    message: z.literal(error.message),
    code: z.literal(code),
    ...('issues' in details && { issues }),
    ...(MAY_NAME_FIELDS.includes(code) && { issues: issues.optional() }),
    ...('retryAfter' in details && { retryAfter: z.int().positive() }),
    ...(repeatsId && repeatedId),
  });
  const isOfProcessor = PROCESSOR_ERRORS.includes(code) && !COMMON_ERRORS.includes(code);
  const type = isOfProcessor ? PROCESSOR : (types.find((type) => errorsOf(type).includes(code)) ?? types[0] ?? PROCESSOR);
  return {
    title: code,
    payload: jsonSchema(payload, 'output', 'draft-7'),
    examples: [{ name: 'error', payload: JSON.parse(errorFrame(type, error, repeatsId ? REQUEST_ID : undefined)) }],
  };
}
