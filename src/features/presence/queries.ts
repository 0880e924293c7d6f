import type { Database, Statement } from '../../db/sequelize.ts';
import { dialogId } from '../messages/dialogId.ts';

const STRANGERS: Statement = {
  name: 'strangers',
  text: `
    SELECT asked.user_id AS "userId"
    FROM unnest($2::uuid[], $3::uuid[]) AS asked (user_id, dialog_id)
    WHERE NOT EXISTS (SELECT FROM conversations WHERE id = asked.dialog_id AND kind = 'dialog' AND last_seq > 0)
      AND NOT EXISTS (
        SELECT FROM members mine
        JOIN members theirs ON theirs.conversation_id = mine.conversation_id AND theirs.user_id = asked.user_id
        WHERE mine.user_id = $1 AND mine.companion_id IS NULL)`,
};

/** Those of the users with whom the user shares neither a dialog in which something was written nor a group. */
export async function strangersTo(database: Database, userId: string, userIds: string[]): Promise<string[]> {
  const dialogIds = userIds.map((other) => dialogId(userId, other));
  const rows = await database.run<{ userId: string }>(STRANGERS, [userId, userIds, dialogIds]);
  return rows.map((row) => row.userId);
}
