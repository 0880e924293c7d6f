import { type Archive, messageText, type StoredMessage, sendText, storedText, wasSame } from './archive.ts';
import type { History, SeenConnection, SeenMessage, SeenPages, Send } from './history.ts';
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
      `conversation ${conversationId}: ${userId} received ${messageText(broadcast)}; ${stored ? `stored is ${storedText(stored, userId)}` : 'it is not stored'}`;
    const isTheirs = archived?.conversation.memberIds.has(userId) === true && broadcast.senderId !== userId;
    verdict.check('nobody receives what is not theirs, nor what they sent', isTheirs, told);
    verdict.check('every broadcast is a stored message', stored !== undefined && wasSame(history, broadcast, stored, userId), told);
    verdict.check('a connection receives each message once', !received.has(broadcast.messageId), told);
    received.add(broadcast.messageId);
    const origin = history.sends.get(broadcast.messageId)?.node;
    if (!stored || origin === undefined) continue;
    const way = `${conversationId} ${origin}`;
    const former = latest.get(way);
    verdict.check(
      'a connection receives in the stored order what one server stored',
      !former || former.seq < stored.seq,
      () => `${told()}, from server ${origin} to ${node}; before it came ${former && storedText(former)}`,
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
        `conversation ${conversation.id}: ${sendText(send)} was acknowledged at ${seconds(send.acknowledgedAt)}, but ${userId} did not receive it on a connection that was open from ${seconds(connection.openedAt)} to ${seconds(caughtUpAt)}; it went from server ${send.node} to ${node}`,
    );
  }
}

/** A moment, as the progress of the run shows it. */
const seconds = (moment = Number.NaN): string => `${(moment / 1000).toFixed(1)} s`;

/** A row of a chat list has the `rev` of its conversation, which is never less than that of the message. */
export const ofMessage = (row: SeenMessage, { rev }: StoredMessage): SeenMessage => ({ ...row, rev: Math.min(row.rev, rev) });

/** Pages are a piece of the stored order without a gap, and hold what had been acknowledged when they were asked for. */
export function checkPages({ conversations, history }: Archive, pages: SeenPages, verdict: Verdict): void {
  const { userId, conversationId, rows, acknowledged, unreadCount } = pages;
  const archived = conversations.get(conversationId);
  const found = rows.map((row) => archived?.byId.get(row.messageId));
  for (const [index, row] of rows.entries()) {
    const stored = found[index];
    const told = () =>
      `conversation ${conversationId}: ${userId} read ${messageText(row)}; ${stored ? `stored is ${storedText(stored, userId)}` : 'it is not stored'}`;
    const isSo = stored && wasSame(history, unreadCount === undefined ? row : ofMessage(row, stored), stored, userId);
    verdict.check('every row of a page is a stored message', isSo === true, told);
    const newer = found[index - 1];
    verdict.check(
      'pages have the stored order, without gaps',
      !stored || !newer || stored.seq === newer.seq - 1,
      () => `${told()}; the row before it is ${newer && storedText(newer)}`,
    );
  }
  const least = acknowledged && archived?.byId.get(acknowledged.messageId);
  if (!least) return;
  const newest = found[0];
  verdict.check(
    'a page shows what was acknowledged before',
    newest !== undefined && newest.seq >= least.seq,
    () =>
      `conversation ${conversationId}: ${userId} read ${newest ? storedText(newest, userId) : 'nothing'} as the newest; acknowledged was ${storedText(least)}`,
  );
}
