import { QueryTypes, type Transaction } from 'sequelize';
import type { Database, Statement } from '../../db/sequelize.ts';
import type { GroupDetails, MemberRow } from './rows.ts';

/** In the order of ids, which is that of an index: so no more is read than is shown. A group may have the lowest id there is. */
const MY_GROUPS: Statement = {
  name: 'groups_of_user',
  text: `
  SELECT conversation.id AS "groupId", conversation.name AS "groupName", conversation.description,
    conversation.member_count AS "memberCount", me.role, conversation.created_at AS "createdAt"
  FROM (
    SELECT conversation_id FROM members
    WHERE user_id = $1 AND companion_id IS NULL
      AND conversation_id >= coalesce($2::uuid, '00000000-0000-0000-0000-000000000000') AND conversation_id IS DISTINCT FROM $2
    ORDER BY conversation_id
    LIMIT $3
  ) mine
  CROSS JOIN LATERAL (SELECT role FROM members WHERE conversation_id = mine.conversation_id AND user_id = $1 LIMIT 1) me
  CROSS JOIN LATERAL (SELECT * FROM conversations WHERE id = mine.conversation_id LIMIT 1) conversation
  ORDER BY mine.conversation_id`,
};

/** The user's groups whose ids come after `afterId`, or the first ones. */
export function groupsOf(database: Database, userId: string, afterId: string | null, limit: number): Promise<GroupDetails[]> {
  return database.run(MY_GROUPS, [userId, afterId, limit]);
}

/** Where a member stands among those of a group. */
type Standing = readonly [joinedAt: Date, userId: string];

/** The row of who asks comes first, so that one query tells the end of the list from a group that is not the user's. */
const MEMBERS: Statement = {
  name: 'members_of_group',
  text: `
  SELECT member.user_id AS "userId", person.first_name AS "firstName", person.last_name AS "lastName",
    member.role, member.joined_at AS "joinedAt"
  FROM members me
  LEFT JOIN LATERAL (
    SELECT user_id, role, joined_at FROM members
    WHERE conversation_id = me.conversation_id AND companion_id IS NULL
      AND (joined_at, user_id) > (coalesce($3::timestamptz, '-infinity'), coalesce($4::uuid, '00000000-0000-0000-0000-000000000000'))
    ORDER BY joined_at, user_id
    LIMIT $5
  ) member ON true
  LEFT JOIN LATERAL (SELECT first_name, last_name FROM users WHERE id = member.user_id LIMIT 1) person ON true
  WHERE me.conversation_id = $1 AND me.user_id = $2 AND me.companion_id IS NULL
  ORDER BY member.joined_at, member.user_id`,
};

interface MembersPage {
  groupId: string;
  /** Who asks. */
  userId: string;
  /** Only who stands after this; null for the first ones. */
  after: Standing | null;
  limit: number;
}

/** Members of a group, the longest-standing first; undefined when the user is not one of them. */
export async function membersOf(database: Database, { groupId, userId, after, limit }: MembersPage): Promise<MemberRow[] | undefined> {
  const [joinedAt, id] = after ?? [null, null];
  const rows = await database.run<MemberRow | { userId: null }>(MEMBERS, [groupId, userId, joinedAt, id, limit]);
  if (rows.length === 0) return undefined;
  return rows.filter((row): row is MemberRow => row.userId !== null);
}

/** What the statement deletes it still sees. The groups are locked, so nobody else joins, leaves or gets a role meanwhile. */
const REMOVE_MEMBER = `
  WITH gone AS (
    DELETE FROM members WHERE user_id = $1 AND conversation_id = ANY ($2::uuid[]) RETURNING conversation_id, role
  ), heirs AS (
    UPDATE members heir SET role = 'owner'
    FROM gone CROSS JOIN LATERAL (
      SELECT user_id FROM members
      WHERE conversation_id = gone.conversation_id AND companion_id IS NULL AND user_id <> $1
      ORDER BY joined_at, user_id
      LIMIT 1
    ) eldest
    WHERE gone.role = 'owner' AND heir.conversation_id = gone.conversation_id AND heir.user_id = eldest.user_id
    RETURNING heir.conversation_id, heir.user_id
  ), smaller AS (
    UPDATE conversations SET member_count = member_count - 1,
      deleted_at = CASE WHEN gone.role = 'owner' AND heirs.user_id IS NULL THEN now() END
    FROM gone LEFT JOIN heirs USING (conversation_id)
    WHERE conversations.id = gone.conversation_id
  )
  SELECT conversation_id AS "groupId", user_id AS "heirId" FROM heirs`;

/**
 * Takes a user out of locked groups, as one statement however many they are. An owner is followed by the longest-standing member,
 * whatever role that one has, and the ids of the new owners are returned, by group; a group without members is dropped.
 */
export async function removeMember(
  database: Database,
  groupIds: string[],
  userId: string,
  transaction: Transaction,
): Promise<Map<string, string>> {
  const rows = await database.query<{ groupId: string; heirId: string }>(REMOVE_MEMBER, {
    bind: [userId, groupIds],
    type: QueryTypes.SELECT,
    transaction,
  });
  return new Map(rows.map(({ groupId, heirId }) => [groupId, heirId]));
}
