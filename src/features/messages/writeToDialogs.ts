import pg from 'pg';
import type { Database, Statement } from '../../db/sequelize.ts';
import { type InDoubt, type NewMessage, type Outcome, plainArray, type WrittenMessage, writeMessages } from './writeMessages.ts';

/** Messages of one dialog; its user is who sends the first of them. */
interface Dialog {
  conversationId: string;
  userId: string;
  companionId: string | null;
  messages: NewMessage[];
}

/** What is returned for a dialog. */
interface Row {
  /** Which of the dialogs it is, from 1. */
  place: number;
  /** Those of the message that the first one follows; for `created_at`, a millisecond before the first one at least. */
  seq: number;
  rev: number;
  created_at: Date;
  user_name: string;
  user_last_name: string | null;
  companion_name: string;
  companion_last_name: string | null;
}

const WRITE: Statement = {
  name: 'write_to_dialogs',
  text: 'SELECT * FROM write_to_dialogs($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::int[], $7::int[], $8::uuid[], $9::uuid[], $10::text[])',
};
const UNIQUE_VIOLATION = '23505';

/**
 * Writes messages of dialogs. Nearly all are new, answer none, and are in a dialog that exists: those take the shortest way. What is left, and all of
 * them when one is stored already, goes the way of any message; the others do not wait for it, and stay when it fails.
 */
export async function writeToDialogs(
  database: Database,
  messages: NewMessage[],
  inDoubt: InDoubt,
): Promise<(Outcome | Promise<Outcome>)[]> {
  const written = new Map(await writeNew(database, messages, inDoubt));
  const left = messages.filter((message) => !written.has(message));
  if (left.length === 0) return messages.map((message) => present(written.get(message)));
  const outcomes = writeMessages(database, left, inDoubt);
  return messages.map((message) => written.get(message) ?? outcomes.then((found) => present(found[left.indexOf(message)])));
}

/** Writes the messages of dialogs that exist, when all of them are new; returns what was written. */
async function writeNew(database: Database, messages: NewMessage[], inDoubt: InDoubt): Promise<[NewMessage, WrittenMessage][]> {
  const dialogs = dialogsOf(messages).filter((dialog) => dialog.messages.every(({ replyToId }) => replyToId === null));
  if (dialogs.length === 0) return [];
  const tried = dialogs.flatMap((dialog) => dialog.messages);
  const rows = await database
    .runBatch<Row>(WRITE, valuesOf(dialogs), () => inDoubt(tried))
    .catch((error: unknown) => {
      if (error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION) return [];
      throw error;
    });
  return rows.flatMap((row) => writtenIn(present(dialogs[row.place - 1]), row));
}

function dialogsOf(messages: NewMessage[]): Dialog[] {
  const dialogs = new Map<string, Dialog>();
  for (const message of messages) {
    const { conversationId, senderId: userId, receiverId: companionId } = message;
    const dialog = dialogs.get(conversationId);
    if (dialog) dialog.messages.push(message);
    else dialogs.set(conversationId, { conversationId, userId, companionId, messages: [message] });
  }
  return [...dialogs.values()];
}

function valuesOf(dialogs: Dialog[]): unknown[] {
  const messages = dialogs.flatMap((dialog) => dialog.messages);
  const firsts: number[] = [];
  let count = 0;
  for (const dialog of dialogs) {
    firsts.push(count);
    count += dialog.messages.length;
  }
  return [
    plainArray(dialogs.map((dialog) => dialog.conversationId)),
    plainArray(dialogs.map((dialog) => dialog.userId)),
    plainArray(dialogs.map((dialog) => dialog.companionId)),
    plainArray(firsts),
    plainArray(dialogs.map((dialog) => dialog.messages.length)),
    plainArray(dialogs.map(lastOfLower)),
    plainArray(dialogs.map(lastOfHigher)),
    plainArray(messages.map((message) => message.messageId)),
    plainArray(messages.map((message) => message.senderId)),
    messages.map((message) => message.content),
  ];
}

/** Which of a dialog's messages is the last one by the user with the lower id, from 1; 0 when there is none. */
const lastOfLower = ({ messages }: Dialog): number =>
  messages.findLastIndex(({ senderId, receiverId }) => receiverId !== null && senderId <= receiverId) + 1;
const lastOfHigher = ({ messages }: Dialog): number =>
  messages.findLastIndex(({ senderId, receiverId }) => receiverId !== null && senderId >= receiverId) + 1;

function writtenIn({ userId, messages }: Dialog, row: Row): [NewMessage, WrittenMessage][] {
  return messages.map((message, index) => {
    const byUser = message.senderId === userId;
    return [
      message,
      {
        repeated: false,
        seq: row.seq + index + 1,
        rev: row.rev + index + 1,
        createdAt: new Date(row.created_at.getTime() + index + 1),
        senderName: byUser ? row.user_name : row.companion_name,
        senderLastName: byUser ? row.user_last_name : row.companion_last_name,
        groupName: null,
        quoted: null,
      },
    ];
  });
}

/** @throws when the database answers for something else than it was given */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the write gave no outcome');
  return value;
}
