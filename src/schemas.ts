import { z } from 'zod';
import { AppError, type ErrorCode, type Issue } from './errors.ts';

/** PostgreSQL stores neither NUL nor half a surrogate pair; refusing them keeps what is stored equal to what was sent. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
export const STORABLE = 'must be well-formed text without NUL characters';

/** A UUID of any version, lower-cased. */
export const id = z.guid('must be a UUID').toLowerCase();

/** Of a message that is to be stored. */
export const newMessageId = id.describe(
  'Made by the client. The same again, from the same sender into the same conversation, stores nothing and has the same answer',
);

/** Of the message that another one answers. */
export const replyToId = id.nullish().describe('The `messageId` of the message of this conversation that this one answers');

/** What clients have always been allowed to send. */
export const ignored = z.unknown().optional().describe('Ignored');

/** What people write to one another: 1 to `maxLength` characters. */
export const messageText = (maxLength: number) =>
  z.string().min(1, 'must not be empty').max(maxLength, `must be at most ${maxLength} characters long`).refine(isStorable, STORABLE);

/** What somebody looks for. */
export const searchTerm = z
  .string()
  .min(1, 'must not be empty')
  .max(100, 'must be at most 100 characters long')
  .refine(isStorable, STORABLE);

const title = z
  .string()
  .min(1, 'must not be empty')
  .max(64, 'must be at most 64 characters long')
  .refine(isStorable, STORABLE)
  .refine((text) => text === text.trim(), 'must not begin or end with white space');

/** The name of a group. */
export const groupName = title;

/** What a user calls a chat. */
export const chatTitle = title;

/** What a group is about: at most 1,000 characters. Null, as none at all, means nothing. */
export const groupDescription = z
  .string()
  .max(1_000, 'must be at most 1000 characters long')
  .refine(isStorable, STORABLE)
  .transform((text) => text || null)
  .nullable();

/** A first or last name: no white space inside either. */
export const personName = title.refine((text) => !/\s/.test(text), 'must not contain white space');

/** How many rows a page has. */
export const limit = z
  .int('must be a whole number from 1 to 100')
  .min(1, 'must be at least 1')
  .max(100, 'must be at most 100')
  .describe('How many rows the page has at most');

/** The same in a query string, where it is written in decimal digits and may be left out. */
export const limitOr = (otherwise: number) =>
  z.preprocess((text) => (typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : text), limit.default(otherwise));

const TIME = 'must be a time like 2026-01-31T12:00:00.000Z';
const pastTime = (error: string) =>
  z.iso
    .datetime({ offset: true, abort: true, error })
    .refine((text) => new Date(text).getTime() >= 0, 'must not be before 1970')
    .transform((text) => new Date(text));

/** Where a page begins. */
export const cursor = pastTime(`${TIME}, or null`)
  .nullable()
  .describe('`createdAt` of the oldest row that the client holds; null for the newest page');

/** The same in a query string, where it is left out for the newest page. */
export const queryCursor = pastTime(TIME).optional().describe('The `nextCursor` of the last page; none for the newest page');

/** What people call the types of JSON. */
const TYPES = new Map<string, string>([
  ['string', 'text'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'an object'],
]);

/** What is said of a value of another type where its schema does not say it. */
const wording: z.core.$ZodErrorMap = (issue) =>
  issue.code === 'invalid_type' ? `must be ${TYPES.get(issue.expected) ?? issue.expected}` : undefined;

/**
 * Checks `value` and returns what the schema makes of it.
 * @throws {AppError} `code`, with everything that is wrong and the field that it is about
 */
export function parse<S extends z.ZodType>(schema: S, value: unknown, code: ErrorCode = 'invalid_params'): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // Not at once: a check that is to word what it finds takes three times as long, and most find nothing.
  const { error = result.error } = schema.safeParse(value, { error: wording, reportInput: true });
  throw new AppError(code, { issues: withoutMeasures(error.issues).flatMap(issuesOf) });
}

/** What is wrong; of what has another type no more than that: zod measures lists where text was wanted. */
function withoutMeasures(issues: z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const mistyped = new Set(issues.filter(({ code }) => code === 'invalid_type').map(placeOf));
  return issues.filter((issue) => issue.code === 'invalid_type' || !mistyped.has(placeOf(issue)));
}

const placeOf = ({ path }: z.core.$ZodIssue): string => path.join('.');

function issuesOf(issue: z.core.$ZodIssue): Issue[] {
  const { path, input, message } = issue;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not known here' }));
  return [{ path: placeOf(issue), message: input === undefined ? 'is missing' : message }];
}
