import { query } from './database.ts';

/** Sets the time of a user's chats, each of which has one message: the chats with equal numbers get an equal time. */
export async function setTimes(databaseUrl: string, { id }: { id: string }, moments: number[]): Promise<void> {
  await query(
    databaseUrl,
    `WITH mine AS (
       SELECT conversation_id AS id, row_number() OVER (ORDER BY conversation_id) AS position FROM members WHERE user_id = $1
     ), moved AS (
       UPDATE conversations SET last_message_at = '2026-01-01'::timestamptz + ($2::int[])[position] * interval '1 ms'
       FROM mine WHERE mine.id = conversations.id RETURNING conversations.id, last_message_at
     )
     UPDATE messages SET created_at = moved.last_message_at FROM moved WHERE moved.id = messages.conversation_id`,
    [id, moments],
  );
}
