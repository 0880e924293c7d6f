import { type Archived, type StoredMessage, storedText } from './archive.ts';
import type { Change, Deed, History } from './history.ts';
import type { Verdict } from './verdict.ts';

type Edit = Extract<Deed, { kind: 'edit' }>;
type Reaction = Extract<Deed, { kind: 'react' }>;

const AS_SENT = 'what is stored was sent so, or edited so';
const DELETED = 'what was deleted is stored without content and reactions, and nothing else is';
const REACTIONS = 'who reacted to a message and how is stored, and counted';

/** Checks what is stored of messages against what was done to them. */
export function checkChanges({ conversation, stored }: Archived, { sends, changes }: History, verdict: Verdict): void {
  for (const message of stored.messages) {
    const send = sends.get(message.messageId);
    if (!send) continue;
    const done = changes.get(message.messageId) ?? [];
    const told = () =>
      `conversation ${conversation.id}: ${storedText(message)} is stored; sent was ${send.content.slice(0, 40)}, done was ${textOf(done)}`;
    for (const { outcome } of done) verdict.check('every change is made or refused in the end', outcome !== undefined, told);
    verdict.check(
      'a message has the rev of its last change',
      done.every(({ rev }) => rev <= message.rev),
      told,
    );
    if (checkDeleted(message, done, verdict, told)) continue;
    checkContent(message, send.content, done, verdict, told);
    checkReactions(message, done, verdict, told);
  }
}

/** Returns whether it is deleted. */
function checkDeleted(
  { content, deletedAt, reactions, reactors }: StoredMessage,
  done: Change[],
  verdict: Verdict,
  told: () => string,
): boolean {
  const isDeleted = done.some(({ deed, outcome }) => deed.kind === 'delete' && outcome === 'made');
  const isEmpty = content === '' && reactions.length === 0 && reactors.length === 0;
  verdict.check(DELETED, isDeleted === (deletedAt !== null) && (!isDeleted || isEmpty), told);
  return isDeleted;
}

function checkContent({ content, editedAt }: StoredMessage, sent: string, done: Change[], verdict: Verdict, told: () => string): void {
  const edits = latest(done.filter((change): change is Change & { deed: Edit } => change.deed.kind === 'edit'));
  const isSo =
    edits.length === 0 ? content === sent && editedAt === null : edits.some(({ deed }) => deed.content === content) && editedAt !== null;
  verdict.check(AS_SENT, isSo, told);
}

function checkReactions({ reactions, reactors }: StoredMessage, done: Change[], verdict: Verdict, told: () => string): void {
  const given = done.filter((change): change is Change & { deed: Reaction } => change.deed.kind === 'react');
  const keyOf = (userId: string, emoji: string) => `${userId} ${emoji}`;
  const stored = new Set(reactors.map(({ userId, emoji }) => keyOf(userId, emoji)));
  const byKey = new Map<string, (Change & { deed: Reaction })[]>();
  for (const change of given) {
    const key = keyOf(change.userId, change.deed.emoji);
    byKey.set(key, [...(byKey.get(key) ?? []), change]);
  }
  for (const [key, changes] of byKey) {
    verdict.check(
      REACTIONS,
      latest(changes).some(({ deed }) => deed.isAdded === stored.has(key)),
      told,
    );
  }
  verdict.check(
    REACTIONS,
    [...stored].every((key) => byKey.has(key)),
    told,
  );
  const counts = new Map(reactions.map(({ emoji, count }) => [emoji, count]));
  const emojis = new Set([...counts.keys(), ...reactors.map(({ emoji }) => emoji)]);
  const isCounted = (one: string) => counts.get(one) === reactors.filter(({ emoji }) => emoji === one).length;
  verdict.check(REACTIONS, [...emojis].every(isCounted), told);
}

/**
 * Those of which one was made last. They were made one after the other; but one that was asked for several times may have been made
 * once more later: what was asked for first may have waited in a server for long.
 */
function latest<C extends Change>(changes: C[]): C[] {
  const made = changes.filter(({ outcome }) => outcome === 'made');
  return made.filter((change, index) => index === made.length - 1 || change.transmissions > 1);
}

const textOf = (done: Change[]): string =>
  done
    .map(
      ({ deed, userId, outcome, transmissions }) => `${JSON.stringify(deed).slice(0, 80)} by ${userId}, ${outcome} after ${transmissions}`,
    )
    .join('; ') || 'nothing';
