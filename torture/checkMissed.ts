import { type Archive, firstDifference, isSame, messageText, storedText } from './archive.ts';
import { ofMessage } from './checkSight.ts';
import type { Point, SeenMissed } from './missed.ts';
import type { Verdict } from './verdict.ts';

/** Messages of one conversation that may be missed, new or changed; of more, it is to be read anew. */
const MAX_MISSED = 1_000;

const OTHERS = 'getMissed lists every conversation that is not named, and nothing that is not there';

/** Checks what a user was told to have missed against what is stored: exactly that, each message once, in order. */
export function checkMissed(archive: Archive, seen: SeenMissed, verdict: Verdict): void {
  const { userId, points, rows, resets, lost, chats } = seen;
  for (const point of points) checkPoint(archive, point, seen, verdict);
  const named = new Set(points.map(({ conversation }) => conversation.id));
  for (const { conversationId } of [...rows, ...resets]) {
    verdict.check(
      OTHERS,
      named.has(conversationId),
      () => `conversation ${conversationId}: ${userId} was told of it without asking for it`,
    );
  }
  for (const id of lost) verdict.check(OTHERS, false, () => `conversation ${id}: ${userId} was told that it is gone or cleared`);
  for (const { conversation, stored } of archive.conversations.values()) {
    if (named.has(conversation.id) || !conversation.memberIds.has(userId)) continue;
    const last = stored.messages.at(-1);
    const listed = chats.filter(({ conversationId }) => conversationId === conversation.id);
    verdict.check(
      OTHERS,
      listed.length === (last ? 1 : 0) && listed.every((row) => last && isSame(ofMessage(row, last), last, userId)),
      () =>
        `conversation ${conversation.id}: ${userId} sees ${listed.map(messageText).join() || 'nothing'}; stored last is ${last && storedText(last, userId)}`,
    );
  }
}

function checkPoint(archive: Archive, { conversation: { id }, afterRev }: Point, seen: SeenMissed, verdict: Verdict): void {
  const { lastSeq = 0, lastRev = 0, messages = [] } = archive.conversations.get(id)?.stored ?? {};
  const missed = messages.filter(({ rev }) => rev > afterRev);
  const isReset = missed.length > MAX_MISSED;
  const resets = seen.resets.filter(({ conversationId }) => conversationId === id);
  verdict.check(
    `a conversation of which more than ${MAX_MISSED} messages were missed, and no other, is to be read anew`,
    resets.length === (isReset ? 1 : 0) && resets.every(({ seq, rev }) => seq === lastSeq && rev === lastRev),
    () => `conversation ${id}: ${seen.userId}, who knows it up to ${afterRev} of ${lastRev}, was told ${JSON.stringify(resets)}`,
  );
  const expected = isReset ? [] : missed.sort((one, other) => one.rev - other.rev);
  const rows = seen.rows.filter(({ conversationId }) => conversationId === id);
  const wrong = firstDifference(rows, expected, seen.userId);
  verdict.check(
    'getMissed tells what is stored after a point, each message once, by rev',
    wrong === undefined,
    () => `conversation ${id}: ${seen.userId}, who knows it up to ${afterRev}, was told ${rows.length} of ${expected.length}; ${wrong}`,
  );
}
