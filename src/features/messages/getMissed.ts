import { z } from 'zod';
import { knownId, pageWith, time } from '../../answers.ts';
import { operation } from '../../operation.ts';
import { cursor } from '../../schemas.ts';
import { changedChats } from '../chats/changedChats.ts';
import { chatRow } from '../chats/rows.ts';
import { conversationName, conversationOf } from './conversation.ts';
import { type MissedOfConversation, readMissed } from './missedQueries.ts';
import { messageRowOf } from './presenter.ts';
import { address, messageRow } from './rows.ts';

const MAX_CURSORS = 100;
/**
 * How much earlier than now the next request is to look for changed chats, in milliseconds:
 * what is being written now has a time already, and cannot be seen yet.
 */
const OVERLAP = 10_000;

const missedCursor = conversationName.safeExtend({
  afterRev: z.int('must be a whole number').min(0, 'must not be negative').describe('The last `rev` of it that the client holds'),
});
type Name = z.output<typeof missedCursor>;

const params = z.strictObject({
  cursors: z
    .array(missedCursor)
    .max(MAX_CURSORS, `must not be more than ${MAX_CURSORS}`)
    .refine(areDistinct, 'must name each conversation once'),
  changedSince: cursor.describe(
    'The `changedSince` of the last answer, to get the other chats in which something was written; null gets none',
  ),
  limit: z
    .int('must be a whole number from 1 to 500')
    .min(1, 'must be at least 1')
    .max(500, 'must be at most 500')
    .describe('How many rows, and how many chats, the answer has at most; more chats where the last have an equal time'),
});

function areDistinct(names: Name[]): boolean {
  return new Set(names.map(({ receiverId, groupId }) => `${receiverId ?? ''} ${groupId ?? ''}`)).size === names.length;
}

const shortAddress = z.object(address);
const answer = pageWith(
  messageRow,
  z.object({
    more: z
      .array(
        z.object({
          receiverId: knownId.optional(),
          groupId: knownId.optional(),
          afterRev: z.int().describe('To be sent as it is'),
        }),
      )
      .describe('Cursors to ask again with, because not all had room'),
    reset: z
      .array(shortAddress.extend({ seq: chatRow.shape.seq, rev: chatRow.shape.rev }))
      .describe('Too much was missed: forget these conversations, read them from their newest page, and go on from this `rev`'),
    gone: z.array(shortAddress).describe('Groups that I am not in any more: forget them'),
    cleared: z
      .array(z.object({ companionId: knownId.nullable(), seq: z.int().describe('The last `seq` that I have deleted') }))
      .describe('Dialogs that I have deleted: forget them up to this `seq`'),
    chats: z.array(chatRow).describe('Chats that were not named and have something new, the oldest change first'),
    moreChats: z.boolean().describe('Whether to ask again, with the new `changedSince`'),
    changedSince: time.describe('What to send as `changedSince` the next time. It lies a little back: a chat may come twice'),
  }),
);

/** `getMissed`: what has changed in the conversations that the client knows since it knew them, and which others have something new. */
export const getMissed = operation({
  inTurn: true,
  params,
  answer,
  async handle({ userId, services: { database } }, { cursors: names, changedSince, limit }) {
    const cursors = names.map((name) => ({ ...conversationOf(userId, name), afterRev: name.afterRev }));
    const { now, missed } = await readMissed(database, userId, cursors, limit);
    const except = cursors.map(({ conversationId }) => conversationId);
    const { chats, hasMore } = await changedChats(database, { userId, since: changedSince, limit, except });
    const item = {
      ...sorted(missed),
      chats,
      moreChats: hasMore,
      changedSince: (hasMore && chats.at(-1)?.createdAt) || new Date(now.getTime() - OVERLAP),
    };
    return { item, data: missed.flatMap(rowsOf) };
  },
});

const isGone = ({ cursor, isMember }: MissedOfConversation): boolean => cursor.kind === 'group' && !isMember;

/** Which of the conversations the client has to do something about. */
function sorted(missed: MissedOfConversation[]) {
  const readable = missed.filter((one) => !isGone(one));
  return {
    more: readable.flatMap(nextCursor),
    reset: readable
      .filter(({ isReset }) => isReset)
      .map(({ cursor: { companionId, groupId }, seq, rev }) => ({ companionId, groupId, seq, rev })),
    gone: missed.filter(isGone).map(({ cursor: { companionId, groupId } }) => ({ companionId, groupId })),
    cleared: readable
      .filter(({ clearedSeq }) => clearedSeq > 0)
      .map(({ cursor: { companionId }, clearedSeq: seq }) => ({ companionId, seq })),
  };
}

function nextCursor({ cursor: { companionId, groupId }, next }: MissedOfConversation) {
  if (next === null) return [];
  return groupId === null ? { receiverId: companionId, afterRev: next } : { groupId, afterRev: next };
}

const rowsOf = ({ cursor, rows }: MissedOfConversation) => rows.map((row) => messageRowOf(cursor, row));
