import { z } from 'zod';
import type { FaultyServer, StoredConversation } from './faultyServer.ts';
import { shown } from './storedMessage.ts';

const cursor = z.object({ receiverId: z.string().optional(), groupId: z.string().optional(), afterRev: z.number() });
const missed = z.object({ cursors: z.array(cursor).max(100), changedSince: z.string().nullable(), limit: z.number() });
type Cursor = z.output<typeof cursor>;

const NAMES = { senderName: 'Somebody', senderLastName: null, groupName: null, notification: null };

/** What the real server answers to `getMissed`, but with the limits of a faulty one, and by its clock. */
export function missedAnswer(server: FaultyServer, params: unknown, now: Date): { item: object; data: object[] } {
  const { cursors, changedSince, limit: wanted } = missed.parse(params);
  const limit = Math.min(wanted, server.rowLimit);
  const named = cursors.flatMap((cursor) => {
    const conversation = server.find(cursor);
    return conversation ? [{ cursor, conversation }] : [];
  });
  const data: object[] = [];
  let room = limit;
  const item = { more: [] as Cursor[], reset: [] as object[], gone: [] as object[], cleared: [] as object[] };
  for (const { cursor, conversation } of named) {
    const { companionId, groupId, messages, clearedSeq, isMember } = conversation;
    const last = lastRev(conversation);
    const isReset = last - cursor.afterRev > server.resetAfter || cursor.afterRev > last;
    if (!isMember) item.gone.push({ companionId, groupId });
    else if (isReset) item.reset.push({ companionId, groupId, seq: messages.length, rev: last });
    else {
      const from = Math.max(cursor.afterRev, clearedSeq);
      const to = Math.min(last, from + room);
      const rows = messages.filter(({ rev, seq }) => rev > from && rev <= to && seq > clearedSeq).sort((one, other) => one.rev - other.rev);
      data.push(...rows.map((row) => ({ ...shown(row, messages, server.userId), ...NAMES, companionId, groupId })));
      if (to < last) item.more.push({ ...cursor, afterRev: to });
      room -= to - from;
    }
    if (isMember && clearedSeq > 0) item.cleared.push({ companionId, seq: clearedSeq });
  }
  const others = server.conversations.filter((one) => one.isMember && !named.some(({ conversation }) => conversation === one));
  const rows = chatRows(others, server.userId).filter(({ createdAt }) => changedSince !== null && createdAt > changedSince);
  const chats = rows.slice(0, limit);
  const moreChats = chats.length < rows.length;
  return { item: { ...item, chats, moreChats, changedSince: (moreChats && chats.at(-1)?.createdAt) || now.toISOString() }, data };
}

/** The number of the last change of a conversation. */
export function lastRev({ messages }: StoredConversation): number {
  return Math.max(0, ...messages.map(({ rev }) => rev));
}

/** The chat list, oldest change first, without dialogs that the user has deleted. */
function chatRows(conversations: StoredConversation[], userId: string) {
  return conversations
    .flatMap((conversation) => {
      const { companionId, groupId, messages, clearedSeq } = conversation;
      const last = messages.at(-1);
      if (!last || last.seq <= clearedSeq) return [];
      const receiverId = last.senderId === userId ? companionId : userId;
      return [{ ...last, rev: lastRev(conversation), companionId, groupId, receiverId }];
    })
    .sort((one, other) => one.createdAt.localeCompare(other.createdAt));
}
