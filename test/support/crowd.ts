import { query } from './database.ts';

/** Fills a group with people who do nothing, up to so many members. */
export async function fillGroup({ databaseUrl }: { databaseUrl: string }, groupId: string, memberCount: number): Promise<void> {
  await query(
    databaseUrl,
    `WITH grown AS (
       INSERT INTO members (conversation_id, user_id)
       SELECT id, gen_random_uuid() FROM conversations CROSS JOIN generate_series(member_count + 1, $2) WHERE id = $1
     )
     UPDATE conversations SET member_count = $2 WHERE id = $1`,
    [groupId, memberCount],
  );
}
