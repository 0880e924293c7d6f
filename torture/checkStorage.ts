import { type Archive, type Archived, messageText, type StoredMessage, sendText, timeText } from './archive.ts';
import type { Conversation, History, SeenConnection, Send } from './history.ts';
import type { Verdict } from './verdict.ts';

/** Checks what is stored: by itself, and against what was sent and acknowledged. */
export function checkStorage({ history, conversations }: Archive, verdict: Verdict): void {
  for (const archived of conversations.values()) {
    checkNumbers(archived, verdict);
    checkOrigin(archived, history, verdict);
    checkRealTime(archived, history, verdict);
  }
  const latest = new Map<SeenConnection, Map<Conversation, StoredMessage>>();
  for (const send of history.sends.values()) {
    const stored = conversations.get(send.conversation.id)?.byId.get(send.messageId);
    checkAcknowledged(send, stored, verdict);
    if (stored && send.transmissions === 1) checkPipeline(send, stored, latest, verdict);
  }
}

function checkNumbers({ stored: { id, lastSeq, lastRev, lastMessageAt, messages } }: Archived, verdict: Verdict): void {
  let last = 0;
  for (const [index, message] of messages.entries()) {
    const { seq, rev, createdAt } = message;
    const before = last;
    verdict.check(
      'seq and rev are 1, 2, 3… without gaps',
      seq === index + 1 && rev === index + 1,
      () => `conversation ${id}: number ${index + 1} by seq is ${messageText(message)}`,
    );
    verdict.check(
      'createdAt is strictly increasing by seq',
      createdAt > before,
      () => `conversation ${id}: ${messageText(message)} is not later than the one before it, ${timeText(before)}`,
    );
    last = createdAt;
  }
  const count = messages.length;
  verdict.check(
    'a conversation knows its last seq, rev and time',
    lastSeq === count && lastRev === count && lastMessageAt === last,
    () =>
      `conversation ${id} says ${lastSeq}, ${lastRev} and ${timeText(lastMessageAt)}; stored are ${count}, the last of ${timeText(last)}`,
  );
}

function checkOrigin({ conversation, stored, byId }: Archived, { sends }: History, verdict: Verdict): void {
  for (const message of stored.messages) {
    const { messageId, senderId, content, notification } = message;
    const told = () => `conversation ${conversation.id}: ${messageText(message)}`;
    verdict.check('no message is stored twice', byId.get(messageId) === message, told);
    if (notification) continue;
    const send = sends.get(messageId);
    verdict.check(
      'what is stored was sent so',
      send?.conversation === conversation && send.senderId === senderId && send.content === content,
      () => `${told()} is stored; ${send ? `sent to ${send.conversation.id} was ${sendText(send)}` : 'nobody sent it'}`,
    );
  }
}

function checkAcknowledged(send: Send, stored: StoredMessage | undefined, verdict: Verdict): void {
  const told = () =>
    `conversation ${send.conversation.id}: ${sendText(send)} is ${stored ? `stored as ${messageText(stored)}` : 'not stored'}`;
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
    () => `conversation ${send.conversation.id}: ${messageText(stored)} was sent after ${former && messageText(former)}`,
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
