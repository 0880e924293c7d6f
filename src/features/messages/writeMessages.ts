import { QueryTypes, type Transaction } from 'sequelize';
import { z } from 'zod';
import type { Database, Statement } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';

/** A message on its way into the database. */
export interface NewMessage {
  conversationId: string;
  messageId: string;
  senderId: string;
  /** The other person of a dialog; null in a group. */
  receiverId: string | null;
  content: string;
  /** The message that it answers. */
  replyToId: string | null;
  /** Whether it tells of a change of the group. */
  notification: boolean;
}

/** What a message answers. */
interface Quoted {
  /** The first name of who wrote it. */
  senderName: string;
  /** The beginning of it. */
  content: string;
  isDeleted: boolean;
  /** Whether the other person of the dialog has deleted it for himself. */
  isHidden: boolean;
}

/** A message that is committed, with what its broadcast needs. */
export interface WrittenMessage {
  /** The same message had been sent before: it is neither stored nor broadcast again. */
  repeated: boolean;
  seq: number;
  rev: number;
  createdAt: Date;
  senderName: string;
  senderLastName: string | null;
  /** Null in a dialog. */
  groupName: string | null;
  quoted: Quoted | null;
}

/** What became of a message: written, or why not. */
export type Outcome = WrittenMessage | Error;

const REFUSALS = z.enum(['unauthorized', 'no_such_user', 'not_a_member', 'message_id_taken', 'no_such_message']);

interface Row {
  outcome: string;
  seq: number;
  rev: number;
  created_at: Date;
  sender_name: string;
  sender_last_name: string | null;
  group_name: string | null;
  quoted_name: string | null;
  quoted_content: string | null;
  quoted_deleted: boolean;
  quoted_hidden: boolean;
}

const WRITE: Statement = {
  name: 'write_messages',
  text: 'SELECT * FROM write_messages($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::boolean[])',
};

/** Checked ids, numbers and truth values need no quotes in an array of PostgreSQL: joining them costs less than what `pg` does to any text. */
export const plainArray = (values: (string | number | boolean | null)[]): string => `{${values.map((value) => value ?? 'NULL').join()}}`;

function valuesOf(messages: NewMessage[]): unknown[] {
  return [
    plainArray(messages.map((message) => message.conversationId)),
    plainArray(messages.map((message) => message.messageId)),
    plainArray(messages.map((message) => message.senderId)),
    plainArray(messages.map((message) => message.receiverId)),
    plainArray(messages.map((message) => message.replyToId)),
    messages.map((message) => message.content),
    plainArray(messages.map((message) => message.notification)),
  ];
}

function outcomeOf(row: Row): Outcome {
  if (row.outcome !== 'stored' && row.outcome !== 'duplicate') {
    const { success, data, error } = REFUSALS.safeParse(row.outcome);
    if (!success) return error;
    const issues = [{ path: 'replyToId', message: 'is no message of this conversation' }];
    return new AppError(data, data === 'no_such_message' ? { issues } : {});
  }
  return {
    repeated: row.outcome === 'duplicate',
    seq: row.seq,
    rev: row.rev,
    createdAt: row.created_at,
    senderName: row.sender_name,
    senderLastName: row.sender_last_name,
    groupName: row.group_name,
    quoted: quotedOf(row),
  };
}

function quotedOf({
  quoted_name: senderName,
  quoted_content: content,
  quoted_deleted: isDeleted,
  quoted_hidden: isHidden,
}: Row): Quoted | null {
  return senderName === null || content === null ? null : { senderName, content, isDeleted, isHidden };
}

/** Is called with messages of which nobody can say whether they are committed. */
export type InDoubt = (messages: NewMessage[]) => void;

/** Writes messages of any kind. No two have the same conversation and the same id. */
export async function writeMessages(database: Database, messages: NewMessage[], inDoubt: InDoubt): Promise<Outcome[]> {
  return (await database.runBatch<Row>(WRITE, valuesOf(messages), () => inDoubt(messages))).map(outcomeOf);
}

const writeRows = (transaction: Transaction, database: Database, messages: NewMessage[]) =>
  database.query<Row>(WRITE.text, { bind: valuesOf(messages), type: QueryTypes.SELECT, transaction });

function writtenOf(row: Row | undefined): WrittenMessage {
  if (!row) throw new Error('the write gave no outcome');
  const outcome = outcomeOf(row);
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

/**
 * Writes one message as part of a transaction.
 * @throws {AppError} as `MessageWriter.send`
 */
export async function writeWithin(transaction: Transaction, database: Database, message: NewMessage): Promise<WrittenMessage> {
  const [row] = await writeRows(transaction, database, [message]);
  return writtenOf(row);
}

/**
 * The same of one message to each of several conversations, in one statement.
 * @throws {AppError} as `MessageWriter.send`
 */
export async function writeAllWithin(
  transaction: Transaction,
  database: Database,
  messages: NewMessage[],
): Promise<{ message: NewMessage; written: WrittenMessage }[]> {
  const rows = await writeRows(transaction, database, messages);
  return messages.map((message, index) => ({ message, written: writtenOf(rows[index]) }));
}
