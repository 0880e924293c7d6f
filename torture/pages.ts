import { dialogId } from '../src/features/messages/dialogId.ts';
import { askForRows, type Reading, seenMessage } from './ask.ts';
import { type Conversation, nameOf, type SeenPages } from './history.ts';

/** Rows of the largest page. */
export const LARGEST_PAGE = 100;

/**
 * Reads so many pages of a conversation, or up to its beginning, as one list.
 * Undefined when one of them was answered with an error that says to try again. Never resolves when the connection ends.
 */
export async function readHistory(
  reading: Reading,
  conversation: Conversation,
  limit: number,
  pages: number,
): Promise<SeenPages | undefined> {
  const { run, userId } = reading;
  const { id: conversationId, kind } = conversation;
  const of = nameOf(conversation, userId);
  const seen: SeenPages = { userId, conversationId, rows: [], acknowledged: run.history.latestAcknowledged.get(conversationId) };
  let cursorCreatedAt: string | null = null;
  for (let page = 0; page < pages; page++) {
    const rows = await askForRows(reading, kind === 'group' ? 'getlatestMessageGroup' : 'getlatestMessageDialog', {
      ...of,
      limit,
      cursorCreatedAt,
    });
    if (!rows) return undefined;
    seen.rows.push(...rows.map((row) => seenMessage(run, row)));
    cursorCreatedAt = rows.at(-1)?.createdAt ?? null;
    if (rows.length < limit) break;
  }
  return seen;
}

/** Reads the newest chats of the list: of each conversation its newest message. Otherwise as `readHistory`. */
export async function readChats(reading: Reading, limit: number): Promise<SeenPages[] | undefined> {
  const { run, userId } = reading;
  const acknowledged = new Map(run.history.latestAcknowledged);
  const rows = await askForRows(reading, 'listLastMessage', { limit, cursorCreatedAt: null });
  if (!rows) return undefined;
  run.verdict.check(
    'a chat list is newest first',
    rows.every((row, index) => index === 0 || row.createdAt <= (rows[index - 1]?.createdAt ?? '')),
    () => `${userId} read a chat list that is not in order: ${rows.map(({ createdAt }) => createdAt).join()}`,
  );
  return rows.map((row) => {
    const conversationId = row.groupId ?? dialogId(row.senderId, row.receiverId ?? '');
    const { unreadCount } = row;
    return { userId, conversationId, rows: [seenMessage(run, row)], acknowledged: acknowledged.get(conversationId), unreadCount };
  });
}
