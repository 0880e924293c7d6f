import { type Archive, type Archived, type StoredMessage, sendText, storedText, timeText } from './archive.ts';
import { checkChanges } from './checkChanges.ts';
import type { Conversation, History, SeenConnection, Send } from './history.ts';
import type { Verdict } from './verdict.ts';

/** Checks what is stored: by itself, and against what was sent and acknowledged. */
export function checkStorage({ history, conversations }: Archive, verdict: Verdict): void {
  for (const archived of conversations.values()) {
    checkNumbers(archived, verdict);
    checkRevs(archived, history, verdict);
    checkOrigin(archived, history, verdict);
    checkRealTime(archived, history, verdict);
    checkChanges(archived, history, verdict);
  }
  const latest = new Map<SeenConnection, Map<Conversation, StoredMessage>>();
  for (const send of history.sends.values()) {
    const stored = conversations.get(send.conversation.id)?.byId.get(send.messageId);
    checkAcknowledged(send, stored, verdict);
    if (stored && send.transmissions === 1) checkPipeline(send, stored, latest, verdict);
  }
}

function checkNumbers({ stored: { id, lastSeq, lastMessageAt, messages } }: Archived, verdict: Verdict): void {
  let last = 0;
  for (const [index, message] of messages.entries()) {
    const { seq, createdAt } = message;
    const before = last;
    verdict.check(
      'seq is 1, 2, 3… without gaps',
      seq === index + 1,
      () => `conversation ${id}: number ${index + 1} by seq is ${storedText(message)}`,
    );
    verdict.check(
      'createdAt is strictly increasing by seq',
      createdAt > before,
      () => `conversation ${id}: ${storedText(message)} is not later than the one before it, ${timeText(before)}`,
    );
    last = createdAt;
  }
  const count = messages.length;
  verdict.check(
    'a conversation knows its last seq and time',
    lastSeq === count && lastMessageAt === last,
    () => `conversation ${id} says ${lastSeq} and ${timeText(lastMessageAt)}; stored are ${count}, the last of ${timeText(last)}`,
  );
}

/**
 * Each `rev` is that of a stored message, or was told to somebody before the message was changed again. Only of what was asked for
 * again nobody may have been told which `rev` it took.
 */
function checkRevs(
  { conversation, stored: { id, lastRev, messages } }: Archived,
  { sends, changes, revs }: History,
  verdict: Verdict,
): void {
  const stored = messages.map(({ rev }) => rev);
  const told = new Set([...stored, ...(revs.get(id) ?? [])]);
  const untold = Array.from({ length: lastRev }, (_, index) => index + 1).filter((rev) => !told.has(rev));
  const repeated = [...sends.values(), ...[...changes.values()].flat()].filter(
    (one) => one.conversation === conversation && one.transmissions > 1,
  );
  verdict.check(
    'rev is 1, 2, 3… without gaps, and of one change',
    new Set(stored).size === stored.length && untold.length <= repeated.length && Math.max(0, ...told) === lastRev,
    () =>
      `conversation ${id} says ${lastRev}; stored are ${stored.length} revs up to ${Math.max(0, ...stored)}; ${repeated.length} requests were repeated, and nobody was told of ${untold.join() || 'no other'}`,
  );
}

function checkOrigin({ conversation, stored, byId }: Archived, { sends }: History, verdict: Verdict): void {
  for (const message of stored.messages) {
    const { messageId, senderId, replyToId, notification } = message;
    const told = () => `conversation ${conversation.id}: ${storedText(message)}`;
    verdict.check('no message is stored twice', byId.get(messageId) === message, told);
    if (notification) continue;
    const send = sends.get(messageId);
    verdict.check(
      'what is stored was sent so',
      send?.conversation === conversation && send.senderId === senderId && send.replyToId === replyToId,
      () => `${told()} is stored; ${send ? `sent to ${send.conversation.id} was ${sendText(send)}` : 'nobody sent it'}`,
    );
  }
}

function checkAcknowledged(send: Send, stored: StoredMessage | undefined, verdict: Verdict): void {
  const told = () =>
    `conversation ${send.conversation.id}: ${sendText(send)} is ${stored ? `stored as ${storedText(stored)}` : 'not stored'}`;
  const isAcknowledged = verdict.check('every message is acknowledged in the end', send.acknowledgedAt !== undefined, told);
  if (isAcknowledged) verdict.check('every acknowledged message is stored', stored !== undefined, told);
}

/** Those that were sent once, and acknowledged, have the order in which they were sent, also when many were under way. */
function checkPipeline(
  send: Send,
  stored: StoredMessage,
  latest: Map<SeenConnection, Map<Conversation, StoredMessage>>,
  verdict: Verdict,
): void {
  const latestHere = latest.get(send.connection) ?? new Map<Conversation, StoredMessage>();
  latest.set(send.connection, latestHere);
  const former = latestHere.get(send.conversation);
  verdict.check(
    'messages of one connection are stored in the order in which they were sent',
    !former || former.seq < stored.seq,
    () => `conversation ${send.conversation.id}: ${storedText(stored)} was sent after ${former && storedText(former)}`,
  );
  latestHere.set(send.conversation, stored);
}

/** Also of different connections and users: a message stands before all that were begun after it was acknowledged. */
function checkRealTime({ conversation, stored }: Archived, { sends }: History, verdict: Verdict): void {
  let latest: Send | undefined;
  for (const { messageId } of stored.messages) {
    const send = sends.get(messageId);
    if (!send) continue;
    const before = latest;
    verdict.check(
      'what was begun after a message was acknowledged is stored after it',
      !before || send.acknowledgedAt === undefined || before.begunAt < send.acknowledgedAt,
      () => `conversation ${conversation.id}: ${before && sendText(before)} stands before ${sendText(send)}, which had been acknowledged`,
    );
    if (!latest || send.begunAt > latest.begunAt) latest = send;
  }
}
