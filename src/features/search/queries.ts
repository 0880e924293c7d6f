import { QueryTypes } from 'sequelize';
import { fold } from '../../db/searchText.ts';
import type { Database } from '../../db/sequelize.ts';

/** How well something matches: 0 a whole field, 1 the beginning of one, 2 any part. */
interface Ranked {
  rank: number;
}

export interface UserMatch extends Ranked {
  userId: string;
  firstName: string;
  lastName: string | null;
  email: string;
}

export interface GroupMatch extends Ranked {
  groupId: string;
  groupName: string;
}

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** LIKE patterns over search texts, whose fields are lines: a whole line, the beginning of one, any part. */
function patternsOf(searchText: string): string[] {
  const term = escapeLike(fold(searchText));
  return [`%\n${term}\n%`, `%\n${term}%`, `%${term}%`];
}

/** Better matches first, each kind looked for only as far as the better ones leave room: nothing is ranked that is not shown. */
const USERS = `
  WITH whole AS MATERIALIZED (
    SELECT * FROM users person WHERE search_text LIKE $1 AND {{allowed}} LIMIT $4
  ), beginning AS MATERIALIZED (
    SELECT * FROM users person WHERE search_text LIKE $2 AND search_text NOT LIKE $1 AND {{allowed}}
    LIMIT $4 - (SELECT count(*) FROM whole)
  ), part AS MATERIALIZED (
    SELECT * FROM users person WHERE search_text LIKE $3 AND search_text NOT LIKE $2 AND {{allowed}}
    LIMIT $4 - (SELECT count(*) FROM whole) - (SELECT count(*) FROM beginning)
  )
  SELECT rank, id AS "userId", first_name AS "firstName", last_name AS "lastName", email
  FROM (SELECT 0 AS rank, * FROM whole UNION ALL SELECT 1, * FROM beginning UNION ALL SELECT 2, * FROM part) found
  ORDER BY rank, search_text, id`;

const EXCEPT_ME = USERS.replaceAll('{{allowed}}', 'id <> $5');
const EXCEPT_MEMBERS = USERS.replaceAll(
  '{{allowed}}',
  'NOT EXISTS (SELECT FROM members WHERE members.conversation_id = $5 AND members.user_id = person.id)',
);

const MY_GROUPS = `
  SELECT CASE WHEN conversation.search_text LIKE $1 THEN 0 WHEN conversation.search_text LIKE $2 THEN 1 ELSE 2 END AS rank,
    conversation.id AS "groupId", conversation.name AS "groupName"
  FROM members me
  JOIN conversations conversation ON conversation.id = me.conversation_id
  WHERE me.user_id = $5 AND conversation.kind = 'group' AND conversation.search_text LIKE $3
  ORDER BY rank, conversation.search_text, conversation.id
  LIMIT $4`;

/** People whose name or e-mail matches, but not the user `exceptUserId`; best matches first. */
export function findUsers(database: Database, searchText: string, limit: number, exceptUserId: string): Promise<UserMatch[]> {
  return database.query<UserMatch>(EXCEPT_ME, { bind: [...patternsOf(searchText), limit, exceptUserId], type: QueryTypes.SELECT });
}

/** The same, but not the members of a group. */
export function findUsersNotInGroup(database: Database, searchText: string, limit: number, groupId: string): Promise<UserMatch[]> {
  return database.query<UserMatch>(EXCEPT_MEMBERS, { bind: [...patternsOf(searchText), limit, groupId], type: QueryTypes.SELECT });
}

/** Groups of the user whose name matches, best matches first. */
export function findMyGroups(database: Database, searchText: string, limit: number, userId: string): Promise<GroupMatch[]> {
  return database.query<GroupMatch>(MY_GROUPS, { bind: [...patternsOf(searchText), limit, userId], type: QueryTypes.SELECT });
}
