import { type Archive, type Archived, isSame, messageText, type StoredMessage, sendText } from './archive.ts';
import type { History, SeenConnection, SeenPages, Send } from './history.ts';
import type { Verdict } from './verdict.ts';

/** Checks what clients received and read during the load against what is stored. */
export function checkSight(archive: Archive, verdict: Verdict): void {
  const { connections, pages, sends } = archive.history;
  const inOrder = [...sends.values()];
  let first = 0;
  for (const connection of connections) {
    while ((inOrder[first]?.begunAt ?? Infinity) < connection.openedAt) first++;
    checkBroadcasts(archive, connection, verdict);
    checkReceived(archive.history, connection, inOrder, first, verdict);
  }
  for (const page of pages) checkPages(archive, page, verdict);
}

function checkBroadcasts({ conversations, history }: Archive, { userId, node, broadcasts }: SeenConnection, verdict: Verdict): void {
  const received = new Set<string>();
  /** By conversation and the server that sent the broadcasts. */
  const latest = new Map<string, StoredMessage>();
  for (const broadcast of broadcasts) {
    const { conversationId } = broadcast;
    const archived = conversations.get(conversationId);
    const stored = archived?.byId.get(broadcast.messageId);
    const told = () =>
      `conversation ${conversationId}: ${userId} received ${messageText(broadcast)}; ${stored ? `stored is ${messageText(stored)}` : 'it is not stored'}`;
    const isTheirs = archived?.conversation.memberIds.has(userId) === true && broadcast.senderId !== userId;
    verdict.check('nobody receives what is not theirs, nor what they sent', isTheirs, told);
    verdict.check('every broadcast is a stored message', stored !== undefined && isSame(broadcast, stored), told);
    verdict.check('a connection receives each message once', !received.has(broadcast.messageId), told);
    received.add(broadcast.messageId);
    const origin = history.sends.get(broadcast.messageId)?.node;
    if (!stored || origin === undefined) continue;
    const way = `${conversationId} ${origin}`;
    const former = latest.get(way);
    verdict.check(
      'a connection receives in the stored order what one server stored',
      !former || former.seq < stored.seq,
      () => `${told()}, from server ${origin} to ${node}; before it came ${former && messageText(former)}`,
    );
    latest.set(way, stored);
  }
}

/**
 * A connection that was open from before a message was begun until after it was acknowledged received it, if it was sent once:
 * of one that was sent again, the broadcast may have been lost with the answer. Between servers it may take a moment, and some are lost.
 * `first` is the first that was begun since the connection was opened.
 */
function checkReceived({ losses }: History, connection: SeenConnection, sends: Send[], first: number, verdict: Verdict): void {
  const { userId, node, caughtUpAt, broadcasts } = connection;
  const received = new Set(broadcasts.map(({ messageId }) => messageId));
  for (let index = first; index < sends.length; index++) {
    const send = sends[index];
    if (!send || send.begunAt > caughtUpAt) break;
    const { messageId, conversation, senderId, transmissions } = send;
    if (transmissions > 1 || senderId === userId || !conversation.memberIds.has(userId)) continue;
    if (losses.dueAt(send, connection) > caughtUpAt || losses.mayMiss(send, connection)) continue;
    verdict.check(
      'an open connection misses no message',
      received.has(messageId),
      () =>
        `conversation ${conversation.id}: ${sendText(send)} was acknowledged, but ${userId} did not receive it on an open connection; it went from server ${send.node} to ${node}`,
    );
  }
}

/** Pages are a piece of the stored order without a gap, and hold what had been acknowledged when they were asked for. */
function checkPages({ conversations }: Archive, { userId, conversationId, rows, acknowledged }: SeenPages, verdict: Verdict): void {
  const archived = conversations.get(conversationId);
  const found = rows.map((row) => archived?.byId.get(row.messageId));
  for (const [index, row] of rows.entries()) {
    const stored = found[index];
    const told = () =>
      `conversation ${conversationId}: ${userId} read ${messageText(row)}; ${stored ? `stored is ${messageText(stored)}` : 'it is not stored'}`;
    verdict.check('every row of a page is a stored message', stored !== undefined && isSame(row, stored), told);
    const newer = found[index - 1];
    verdict.check(
      'pages have the stored order, without gaps',
      !stored || !newer || stored.seq === newer.seq - 1,
      () => `${told()}; the row before it is ${newer && messageText(newer)}`,
    );
  }
  const least = acknowledged && archived?.byId.get(acknowledged.messageId);
  if (!least) return;
  const newest = found[0];
  verdict.check(
    'a page shows what was acknowledged before',
    newest !== undefined && newest.seq >= least.seq,
    () =>
      `conversation ${conversationId}: ${userId} read ${newest ? messageText(newest) : 'nothing'} as the newest; acknowledged was ${messageText(least)}`,
  );
}

/** All pages of a conversation hold all that is stored of it. */
export function checkWhole(archive: Archive, pages: SeenPages, verdict: Verdict): void {
  checkPages(archive, pages, verdict);
  const count = archive.conversations.get(pages.conversationId)?.stored.messages.length ?? 0;
  verdict.check(
    'all pages hold all messages',
    pages.rows.length === count,
    () => `conversation ${pages.conversationId}: ${pages.userId} reads ${pages.rows.length} messages; stored are ${count}`,
  );
}

/** A user's chat list has every conversation of the user that has a message, each with its last one. */
export function checkChats({ conversations }: Archive, userId: string, chats: SeenPages[], verdict: Verdict): void {
  const listed = new Map(chats.map(({ conversationId, rows }) => [conversationId, rows[0]]));
  const own = ({ conversation }: Archived) => conversation.memberIds.has(userId);
  for (const { conversation, stored } of [...conversations.values()].filter(own)) {
    const last = stored.messages.at(-1);
    const row = listed.get(conversation.id);
    verdict.check(
      'a chat list shows the last message of each conversation',
      row?.messageId === last?.messageId,
      () =>
        `conversation ${conversation.id}: ${userId} sees ${row ? messageText(row) : 'nothing'}; stored last is ${last ? messageText(last) : 'nothing'}`,
    );
  }
}
