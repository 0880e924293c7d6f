import { QueryTypes, type Transaction } from 'sequelize';
import { z } from 'zod';
import type { Database, Statement } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';
import { Batcher } from '../../lib/batcher.ts';

const MAX_BATCH = 500;
const MAX_RUNNING = 3;
/** At 10,000 messages a second the last of them waits two seconds. */
const MAX_WAITING = 20_000;

/** A message on its way into the database. */
export interface NewMessage {
  conversationId: string;
  messageId: string;
  senderId: string;
  /** The other person of a dialog; null in a group. */
  receiverId: string | null;
  content: string;
  /** Whether it tells of a change of the group. */
  notification: boolean;
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
}

const REFUSALS = z.enum(['unauthorized', 'no_such_user', 'not_a_member', 'message_id_taken']);

interface Row {
  outcome: string;
  seq: number;
  rev: number;
  created_at: Date;
  sender_name: string;
  sender_last_name: string | null;
  group_name: string | null;
}

const WRITE: Statement = {
  name: 'write_messages',
  text: 'SELECT * FROM write_messages($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::boolean[])',
};

/** Checked ids need no quotes in an array of PostgreSQL: joining them costs less than what `pg` does to any text. */
const idArray = (ids: (string | null)[]): string => `{${ids.map((id) => id ?? 'NULL').join()}}`;

function columnsOf(messages: NewMessage[]): unknown[] {
  return [
    idArray(messages.map((message) => message.conversationId)),
    idArray(messages.map((message) => message.messageId)),
    idArray(messages.map((message) => message.senderId)),
    idArray(messages.map((message) => message.receiverId)),
    messages.map((message) => message.content),
    `{${messages.map((message) => message.notification).join()}}`,
  ];
}

function read(row: Row): WrittenMessage {
  if (row.outcome !== 'stored' && row.outcome !== 'duplicate') throw new AppError(REFUSALS.parse(row.outcome));
  return {
    repeated: row.outcome === 'duplicate',
    seq: row.seq,
    rev: row.rev,
    createdAt: row.created_at,
    senderName: row.sender_name,
    senderLastName: row.sender_last_name,
    groupName: row.group_name,
  };
}

/**
 * Writes messages, many in one statement. Messages of one conversation keep the order in which they were given;
 * `seq`, `rev` and `createdAt` are handed out without gaps, also when several processes write at once.
 */
export class MessageWriter {
  readonly #batcher: Batcher<NewMessage, Row>;

  constructor(database: Database) {
    this.#batcher = new Batcher({
      flush: (messages) => database.run<Row>(WRITE, columnsOf(messages)),
      laneOf: (message) => message.conversationId,
      identityOf: (message) => message.messageId,
      maxBatch: MAX_BATCH,
      maxRunning: MAX_RUNNING,
      maxWaiting: MAX_WAITING,
    });
  }

  /**
   * Resolves when the message is committed; takes its place in the order before it returns.
   * @throws {AppError} `unauthorized`, `no_such_user`, `not_a_member` or `message_id_taken` when the message is refused, `busy` when too many wait.
   * After another error the message may or may not be stored: send it again with the same id.
   */
  async send(message: NewMessage): Promise<WrittenMessage> {
    return read(await this.#batcher.add(message));
  }

  /** Resolves when all that was given is written. */
  drain(): Promise<void> {
    return this.#batcher.drain();
  }
}

/**
 * Writes one message as part of a transaction.
 * @throws {AppError} as `MessageWriter.send`
 */
export async function writeWithin(transaction: Transaction, database: Database, message: NewMessage): Promise<WrittenMessage> {
  const [row] = await database.query<Row>(WRITE.text, { bind: columnsOf([message]), type: QueryTypes.SELECT, transaction });
  if (!row) throw new Error('the write gave no outcome');
  return read(row);
}
