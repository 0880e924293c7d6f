import { z } from 'zod';
import type { Answer, Failure } from '../test/support/socket.ts';
import { type History, reactionsText, type SeenMessage } from './history.ts';
import type { Link } from './link.ts';
import { isRetryable } from './outbox.ts';
import type { Run } from './run.ts';

export const quote = z.object({ messageId: z.string(), content: z.string(), deleted: z.boolean() });
const messageRow = z.object({
  messageId: z.string(),
  senderId: z.string(),
  content: z.string(),
  createdAt: z.string(),
  editedAt: z.string().nullable(),
  deletedAt: z.string().nullable(),
  replyTo: quote.nullable(),
  reactions: z.array(z.object({ emoji: z.string(), count: z.number(), mine: z.boolean() })),
  seq: z.number(),
  rev: z.number(),
  receiverId: z.string().nullish(),
  groupId: z.string().nullish(),
  unreadCount: z.number().optional(),
});
export type Row = z.output<typeof messageRow>;
export const messageRows = z.array(messageRow);

/** Somebody who asks, over one connection. */
export interface Reading {
  run: Run;
  link: Link;
  userId: string;
}

/**
 * Asks for something that is only read, and parses the answer's params.
 * Undefined when it was answered with an error that says to try again. Never resolves when the connection ends.
 */
export async function ask<T>({ run, link, userId }: Reading, type: string, params: object, schema: z.ZodType<T>): Promise<T | undefined> {
  const { verdict, counts } = run;
  const answer = await new Promise<Answer | Failure>((resolve) => link.request(type, params, resolve));
  if ('error' in answer) {
    counts.error(answer.code);
    verdict.check(
      'a request that may be made is refused only for a while',
      isRetryable(answer.code),
      () => `${userId} was refused ${type} with ${answer.code}: ${answer.message}`,
    );
    return undefined;
  }
  counts.pages++;
  const parsed = schema.safeParse(answer.params);
  verdict.check(
    'every frame is one of the contract',
    parsed.success,
    () => `${userId} asked for ${type} and got ${JSON.stringify(answer.params).slice(0, 500)}`,
  );
  return parsed.data;
}

const page = z.object({ data: messageRows });

/** The rows of a page; otherwise as `ask`. */
export async function askForRows(reading: Reading, type: string, params: object): Promise<Row[] | undefined> {
  return (await ask(reading, type, params, page))?.data;
}

export function seenMessage({ history }: Run, row: Row): SeenMessage {
  const { messageId, senderId, createdAt, editedAt, deletedAt, replyTo, reactions, seq, rev } = row;
  return {
    messageId,
    senderId,
    content: kept(history, messageId, row.content),
    createdAt: Date.parse(createdAt),
    editedAt: editedAt === null ? null : Date.parse(editedAt),
    deletedAt: deletedAt === null ? null : Date.parse(deletedAt),
    replyTo,
    reactions: reactionsText(reactions),
    seq,
    rev,
  };
}

/** The same text is kept once. */
export function kept({ sends }: History, messageId: string, content: string): string {
  const sent = sends.get(messageId)?.content;
  return sent === content ? sent : content;
}
