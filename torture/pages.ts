import { z } from 'zod';
import { dialogId } from '../src/features/messages/dialogId.ts';
import type { Conversation, SeenMessage, SeenPages } from './history.ts';
import type { Link } from './link.ts';
import { isRetryable } from './outbox.ts';
import type { Run } from './run.ts';

/** Rows of the largest page. */
export const LARGEST_PAGE = 100;

const messageRow = z.object({
  messageId: z.string(),
  senderId: z.string(),
  content: z.string(),
  createdAt: z.string(),
  seq: z.number(),
  rev: z.number(),
  receiverId: z.string().nullish(),
  groupId: z.string().nullish(),
});
type Row = z.output<typeof messageRow>;

interface Reading {
  run: Run;
  link: Link;
  userId: string;
}

/**
 * Reads so many pages of a conversation, or up to its beginning, as one list.
 * Undefined when one of them was answered with an error that says to try again. Never resolves when the connection ends.
 */
export async function readHistory(
  reading: Reading,
  conversation: Conversation,
  limit: number,
  pages: number,
): Promise<SeenPages | undefined> {
  const { run, userId } = reading;
  const { id: conversationId, kind, memberIds } = conversation;
  const [receiverId] = [...memberIds].filter((memberId) => memberId !== userId);
  const of = kind === 'group' ? { groupId: conversationId } : { receiverId };
  const seen: SeenPages = { userId, conversationId, rows: [], acknowledged: run.history.latestAcknowledged.get(conversationId) };
  let cursorCreatedAt: string | null = null;
  for (let page = 0; page < pages; page++) {
    const rows = await ask(reading, kind === 'group' ? 'getlatestMessageGroup' : 'getlatestMessageDialog', {
      ...of,
      limit,
      cursorCreatedAt,
    });
    if (!rows) return undefined;
    seen.rows.push(...rows.map((row) => seenMessage(run, row)));
    cursorCreatedAt = rows.at(-1)?.createdAt ?? null;
    if (rows.length < limit) break;
  }
  return seen;
}

/** Reads the newest chats of the list: of each conversation its newest message. Otherwise as `readHistory`. */
export async function readChats(reading: Reading, limit: number): Promise<SeenPages[] | undefined> {
  const { run, userId } = reading;
  const acknowledged = new Map(run.history.latestAcknowledged);
  const rows = await ask(reading, 'listLastMessage', { limit, cursorCreatedAt: null });
  if (!rows) return undefined;
  run.verdict.check(
    'a chat list is newest first',
    rows.every((row, index) => index === 0 || row.createdAt <= (rows[index - 1]?.createdAt ?? '')),
    () => `${userId} read a chat list that is not in order: ${rows.map(({ createdAt }) => createdAt).join()}`,
  );
  return rows.map((row) => {
    const conversationId = row.groupId ?? dialogId(row.senderId, row.receiverId ?? '');
    return { userId, conversationId, rows: [seenMessage(run, row)], acknowledged: acknowledged.get(conversationId) };
  });
}

async function ask({ run, link, userId }: Reading, type: string, params: object): Promise<Row[] | undefined> {
  const { verdict, counts } = run;
  const answer = await new Promise<Parameters<Parameters<Link['request']>[2]>[0]>((resolve) => link.request(type, params, resolve));
  if ('error' in answer) {
    counts.error(answer.code);
    verdict.check(
      'a request that may be made is refused only for a while',
      isRetryable(answer.code),
      () => `${userId} was refused ${type} with ${answer.code}: ${answer.message}`,
    );
    return undefined;
  }
  counts.pages++;
  const rows = z.array(messageRow).safeParse(answer.params.data);
  verdict.check(
    'every frame is one of the contract',
    rows.success,
    () => `${userId} asked for ${type} and got ${JSON.stringify(answer.params.data).slice(0, 500)}`,
  );
  return rows.data;
}

function seenMessage({ history }: Run, { messageId, senderId, content, createdAt, seq, rev }: Row): SeenMessage {
  const sent = history.sends.get(messageId)?.content;
  // The same text is kept once.
  return { messageId, senderId, content: sent === content ? sent : content, createdAt: Date.parse(createdAt), seq, rev };
}
