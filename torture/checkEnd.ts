import { type Archive, type Archived, isSame, messageText, type StoredMessage, storedText } from './archive.ts';
import { checkPages, ofMessage } from './checkSight.ts';
import type { SeenMessage, SeenPages } from './history.ts';
import type { Verdict } from './verdict.ts';

/** Characters of a message that are shown where another one answers it. */
const QUOTED_LENGTH = 200;
/** The most unread messages that are told. */
const MAX_UNREAD = 999;

/** All pages of a conversation hold all that is stored of it, as it is stored. */
export function checkWhole(archive: Archive, pages: SeenPages, verdict: Verdict): void {
  const { userId, conversationId, rows } = pages;
  checkPages(archive, pages, verdict);
  const { stored, byId } = archive.conversations.get(conversationId) ?? {};
  const count = stored?.messages.length ?? 0;
  verdict.check(
    'all pages hold all messages',
    rows.length === count,
    () => `conversation ${conversationId}: ${userId} reads ${rows.length} messages; stored are ${count}`,
  );
  for (const row of rows) {
    const message = byId?.get(row.messageId);
    if (!message) continue;
    const told = () => `conversation ${conversationId}: ${userId} reads ${messageText(row)}; stored is ${storedText(message, userId)}`;
    verdict.check('pages show messages as they are', isSame(row, message, userId), told);
    const quoted = byId?.get(row.replyTo?.messageId ?? '');
    verdict.check(
      'pages show what a message answers as that is now',
      row.replyTo === null || (quoted !== undefined && isQuoted(row, quoted)),
      () => `${told()}; it answers ${quoted ? storedText(quoted) : 'nothing'} and shows ${JSON.stringify(row.replyTo)}`,
    );
  }
}

function isQuoted({ replyTo }: SeenMessage, { content, deletedAt }: StoredMessage): boolean {
  return replyTo?.content === [...content].slice(0, QUOTED_LENGTH).join('') && replyTo.deleted === (deletedAt !== null);
}

/** A user's chat list has every conversation of the user that has a message, each with its last one, and knows how many are unread. */
export function checkChats({ conversations }: Archive, userId: string, chats: SeenPages[], verdict: Verdict): void {
  const listed = new Map(chats.map((chat) => [chat.conversationId, chat]));
  const own = ({ conversation }: Archived) => conversation.memberIds.has(userId);
  for (const { conversation, stored } of [...conversations.values()].filter(own)) {
    const last = stored.messages.at(-1);
    const { rows: [row] = [], unreadCount } = listed.get(conversation.id) ?? {};
    const told = () =>
      `conversation ${conversation.id}: ${userId} sees ${row ? messageText(row) : 'nothing'}; stored last is ${last ? storedText(last, userId) : 'nothing'}`;
    const isSo = row && last ? isSame(ofMessage(row, last), last, userId) && row.rev === stored.lastRev : row === last;
    verdict.check('a chat list shows the last message of each conversation', isSo, told);
    const mine = stored.messages.findLast(({ senderId, notification }) => senderId === userId && !notification);
    // Who wrote has read what was before; who never did has no mark of which is known.
    if (unreadCount === undefined || !mine) continue;
    const unread = Math.min(stored.lastSeq - mine.seq, MAX_UNREAD);
    verdict.check(
      'a chat list says how many messages are unread',
      unreadCount === unread,
      () => `${told()}; ${unreadCount} of ${unread} are said to be unread`,
    );
  }
}
