import { z } from 'zod';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { ask, messageRows, type Reading, seenMessage } from './ask.ts';
import { type Conversation, nameOf, type SeenMessage } from './history.ts';

/** Before everything. */
const EPOCH = '1970-01-01T00:00:00.000Z';

const conversation = z.object({ companionId: z.string().nullable(), groupId: z.string().nullable() });
const answer = z.object({
  data: messageRows,
  item: z.object({
    more: z.array(z.object({ receiverId: z.string().optional(), groupId: z.string().optional(), afterRev: z.number() })),
    reset: z.array(conversation.extend({ seq: z.number(), rev: z.number() })),
    gone: z.array(conversation),
    cleared: z.array(z.object({ companionId: z.string(), seq: z.number() })),
    chats: messageRows,
    moreChats: z.boolean(),
    changedSince: z.string(),
  }),
});
type Answer = z.output<typeof answer>;

/** Up to where a user knows a conversation. */
export interface Point {
  conversation: Conversation;
  afterRev: number;
}

/** What a user is told to have missed who knows some conversations up to these points, and no others. */
export interface SeenMissed {
  userId: string;
  points: Point[];
  /** In the order in which they came. */
  rows: (SeenMessage & { conversationId: string })[];
  /** The conversations that are to be read anew, and what is said to be their last seq and rev. */
  resets: { conversationId: string; seq: number; rev: number }[];
  /** The conversations that are said to be gone or cleared. */
  lost: string[];
  /** The other conversations, each with its last message. */
  chats: (SeenMessage & { conversationId: string })[];
}

/** Asks until nothing is missed any more, so many rows at a time. Undefined when the server answers an error. */
export async function readMissed(reading: Reading, points: Point[], limit: number): Promise<SeenMissed | undefined> {
  const { userId } = reading;
  const seen: SeenMissed = { userId, points, rows: [], resets: [], lost: [], chats: [] };
  const missed = (cursors: object[], changedSince: string | null) => ask(reading, 'getMissed', { cursors, changedSince, limit }, answer);
  let cursors: object[] = points.map(({ conversation, afterRev }) => ({ ...nameOf(conversation, userId), afterRev }));
  let changedSince: string | null = EPOCH;
  while (cursors.length > 0 || changedSince) {
    const told: Answer | undefined = await missed(cursors, changedSince);
    if (!told) return undefined;
    note(reading, told, seen);
    cursors = told.item.more;
    changedSince = told.item.moreChats ? told.item.changedSince : null;
  }
  return seen;
}

function note({ run, userId }: Reading, { data, item }: Answer, { points, rows, resets, lost, chats }: SeenMissed): void {
  const idOf = ({ companionId, groupId }: z.output<typeof conversation>) => groupId ?? dialogId(userId, companionId ?? '');
  const noted = (row: Answer['data'][number]) => ({
    ...seenMessage(run, row),
    conversationId: row.groupId ?? dialogId(row.senderId, row.receiverId ?? ''),
  });
  rows.push(...data.map(noted));
  resets.push(...item.reset.map((reset) => ({ conversationId: idOf(reset), seq: reset.seq, rev: reset.rev })));
  lost.push(...item.gone.map(idOf), ...item.cleared.map(({ companionId }) => dialogId(userId, companionId)));
  // A later request names fewer conversations.
  const named = new Set(points.map((point) => point.conversation.id));
  chats.push(...item.chats.map(noted).filter(({ conversationId }) => !named.has(conversationId)));
}
