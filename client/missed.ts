import type { Emit } from './events.ts';
import { conversationOf, messageOfRow } from './message.ts';
import type { Position } from './position.ts';
import type { Positions } from './positions.ts';
import type { MissedAnswer, Params } from './wire.ts';

type Cursor = Params<'getMissed'>['cursors'][number];

/** A conversation that was asked for, and the highest `rev` that was known to exist in it at that time. */
export interface Asked {
  position: Position;
  seen: number;
}

export function cursorOf({ conversation: { companionId, groupId }, rev = 0 }: Position): Cursor {
  return groupId === null ? { receiverId: companionId ?? '', afterRev: rev } : { groupId, afterRev: rev };
}

/** Gives what an answer holds. Returns the conversations that are to be asked for again, because there is more, or may be. */
export function applyMissed({ item, data }: MissedAnswer, asked: Asked[], positions: Positions, emit: Emit): Position[] {
  const more = new Set(startAnew(item.reset, positions, emit));
  for (const cleared of item.cleared) {
    if (positions.at({ companionId: cleared.companionId, groupId: null }).clear(cleared.seq)) emit('cleared', cleared);
  }
  for (const row of data) positions.at(row).fill(messageOfRow(row));
  const gone = new Set(item.gone.map((conversation) => positions.at(conversation)));
  for (const cursor of item.more) {
    const position = positions.at(conversationOfCursor(cursor));
    position.continueAfter(cursor.afterRev);
    more.add(position);
  }
  for (const { position, seen } of asked) {
    if (gone.has(position)) leave(position, emit);
    else {
      position.isGone = false;
      if (!more.has(position)) position.settle(seen);
    }
  }
  return [...more];
}

/** Returns those that a restored server counts from an earlier number: what came while the answer was on its way was taken for known. */
function startAnew(resets: MissedAnswer['item']['reset'], positions: Positions, emit: Emit): Position[] {
  return resets.flatMap((reset) => {
    const position = positions.at(reset);
    const isRestored = reset.rev < (position.rev ?? 0);
    emit('reset', reset);
    position.startAfter(reset);
    return isRestored ? [position] : [];
  });
}

function conversationOfCursor({ receiverId, groupId }: MissedAnswer['item']['more'][number]) {
  return { companionId: receiverId ?? null, groupId: groupId ?? null };
}

function leave(position: Position, emit: Emit): void {
  const { isGone, conversation } = position;
  position.isGone = true;
  position.forget();
  if (!isGone && conversation.groupId !== null) emit('gone', { groupId: conversation.groupId });
}

/** Takes note of rows of the chat list. Returns the conversations of which something is missing. */
export function learnChats(chats: MissedAnswer['item']['chats'], positions: Positions, userId: string, emit: Emit): Position[] {
  return chats.flatMap((row) => {
    const position = positions.at(conversationOf(row, userId));
    if (position.rev === undefined) {
      if (positions.hasBegunAnew) emit('reset', { ...position.conversation, seq: row.seq, rev: row.rev });
      position.startAfter(row);
    }
    position.see(row.rev);
    return position.mustBeAsked ? [position] : [];
  });
}
