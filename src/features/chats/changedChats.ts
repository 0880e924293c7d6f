import type { Database } from '../../db/sequelize.ts';
import { chatsChangedAfter } from './queries.ts';
import type { ChatRow } from './rows.ts';

interface Changes {
  userId: string;
  /** Only chats whose last message is later than this; null for none at all. */
  since: Date | null;
  /** More are given where the last of them have an equal time. */
  limit: number;
  /** Conversations that are left out. */
  except: string[];
}

/** The user's chats in which something was written, the oldest change first, and whether there are more of them. */
export async function changedChats(
  database: Database,
  { userId, since, limit, except }: Changes,
): Promise<{ chats: ChatRow[]; hasMore: boolean }> {
  if (!since) return { chats: [], hasMore: false };
  const chats = await chatsChangedAfter(database, userId, since, limit, except);
  const last = chats.at(-1);
  const hasMore = !!last && chats.length >= limit && (await chatsChangedAfter(database, userId, last.createdAt, 1, except)).length > 0;
  return { chats, hasMore };
}
