import type { Database, Statement } from '../../db/sequelize.ts';
import { dialogId } from '../messages/dialogId.ts';

/** Pairs that one statement looks up: it takes some 20 ms, and making it does not hold up the event loop. */
const CHUNK = 1_000;
/** Of two people the first one's groups are gone through if they are fewer than these, or else the other one's. */
const MANY = 100;

/** Two people. */
export interface Pair {
  userId: string;
  otherId: string;
}

/** What a sub-select of one row reads no estimate changes: neither of how many pairs there are, nor of how many groups people are in. */
const STRANGERS: Statement = {
  name: 'strangers',
  text: `
    SELECT pair.place::int - 1 AS index
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS pair (user_id, other_id, dialog_id, place)
    CROSS JOIN LATERAL (
      SELECT count(*) = ${MANY} AS is_in_many
      FROM (SELECT FROM members WHERE user_id = pair.user_id AND companion_id IS NULL LIMIT ${MANY}) found
    ) one
    WHERE (SELECT true FROM conversations WHERE id = pair.dialog_id AND kind = 'dialog' AND last_seq > 0 LIMIT 1) IS NULL
      AND (
        SELECT true FROM members mine
        WHERE mine.user_id = CASE WHEN is_in_many THEN pair.other_id ELSE pair.user_id END AND mine.companion_id IS NULL
          AND (
            SELECT true FROM members theirs
            WHERE theirs.conversation_id = mine.conversation_id
              AND theirs.user_id = CASE WHEN is_in_many THEN pair.user_id ELSE pair.other_id END LIMIT 1)
        LIMIT 1) IS NULL`,
};

/** Those of the pairs who share neither a dialog in which something was written nor a group, at a moment after the call. */
export async function strangersAmong<P extends Pair>(database: Database, pairs: P[]): Promise<P[]> {
  const strangers: P[] = [];
  for (let begin = 0; begin < pairs.length; begin += CHUNK) {
    const chunk = pairs.slice(begin, begin + CHUNK);
    const [userIds, otherIds] = [chunk.map(({ userId }) => userId), chunk.map(({ otherId }) => otherId)];
    const dialogIds = chunk.map(({ userId, otherId }) => dialogId(userId, otherId));
    const rows = await database.run<{ index: number }>(STRANGERS, [userIds, otherIds, dialogIds]);
    strangers.push(...rows.flatMap(({ index }) => chunk[index] ?? []));
  }
  return strangers;
}
