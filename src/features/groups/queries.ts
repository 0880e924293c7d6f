import type { Database, Statement } from '../../db/sequelize.ts';
import type { GroupDetails, MemberRow } from './rows.ts';

/** In the order of ids, which is that of an index: so no more is read than is shown. */
const MY_GROUPS: Statement = {
  name: 'groups_of_user',
  text: `
  SELECT conversation.id AS "groupId", conversation.name AS "groupName", conversation.description,
    conversation.member_count AS "memberCount", me.role, conversation.created_at AS "createdAt"
  FROM (
    SELECT conversation_id FROM members
    WHERE user_id = $1 AND companion_id IS NULL
      AND conversation_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
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
