import { fold } from '../../db/searchText.ts';
import type { Database, Statement } from '../../db/sequelize.ts';

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

/** The lines of a search text that hold fields; the first and the last are empty. */
const LINES = [2, 3, 4, 5];
/** Comes after every text that begins alike, in the order of bytes. */
const LAST_CHARACTER = '\u{10ffff}';
/** People that are looked at, in no particular order, before the index is asked. */
const SAMPLE = 500;

const COLUMNS = 'id, search_text, first_name, last_name, email';

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** Ways to any part of a field. What an index is asked for stands in a sub-select, so that the plan is the same for every term. */
const BY_TRIGRAMS = 'search_text LIKE (SELECT $3)';
/** By all pairs of characters, or by one alone. The comparison hides from the trigram index, which for such terms is read from end to end. */
const BY_PIECES = `search_text || '' LIKE $3 AND search_pieces(search_text) COLLATE "C"
      @> ARRAY(SELECT substr($1, place, 2) FROM generate_series(1, greatest(length($1) - 1, 1)) AS place)`;

/** Whether the trigram index tells a text from others: it knows three letters or digits in a row, and takes any sign for a space. */
const hasTrigrams = (text: string): boolean => /[\p{L}\p{N}]{3}/u.test(text) && !/[^\p{L}\p{N} ]/u.test(text);

interface Term {
  /** Parameters 1 to 3 of the queries: the folded text, the end of all that begins with it, and a pattern for any part. */
  binds: [text: string, end: string, pattern: string];
  hasTrigrams: boolean;
}

function termOf(searchText: string): Term {
  const text = fold(searchText);
  return { binds: [text, text + LAST_CHARACTER, `%${escapeLike(text)}%`], hasTrigrams: hasTrigrams(text) };
}

const lineOf = (place: number): string => `split_part(search_text, E'\\n', ${place}) COLLATE "C"`;

/** In the order of its index, so whole fields come before those that only begin so, and no more is read than is shown. */
const beginningAt = (place: number, allowed: string): string => `
  (SELECT ${COLUMNS} FROM users person WHERE ${lineOf(place)} >= $1 AND ${lineOf(place)} < $2 AND ${allowed}
   ORDER BY ${lineOf(place)} LIMIT $4)`;

/**
 * Better matches first, each kind looked for only as far as the better ones leave room: nothing is ranked that is not shown.
 *
 * What matches a large part of all is found in a sample. Only what does not is left to an index, which must name every match
 * before it gives the first.
 */
const usersQuery = (allowed: string, match: string): string => `
  WITH beginning AS MATERIALIZED (
    SELECT CASE WHEN strpos(search_text, E'\\n' || $1 || E'\\n') > 0 THEN 0 ELSE 1 END AS rank, *
    FROM (${LINES.map((place) => beginningAt(place, allowed)).join(' UNION ')}) person
    ORDER BY rank, search_text, id
    LIMIT $4
  ), sample AS MATERIALIZED (
    SELECT * FROM (SELECT ${COLUMNS} FROM users ORDER BY id LIMIT ${SAMPLE}) person
    WHERE search_text LIKE $3 AND strpos(search_text, E'\\n' || $1) = 0 AND ${allowed}
    LIMIT $4 - (SELECT count(*) FROM beginning)
  ), part AS MATERIALIZED (
    SELECT ${COLUMNS} FROM users person
    WHERE ${match} AND strpos(search_text, E'\\n' || $1) = 0 AND ${allowed}
      AND id <> ALL (ARRAY(SELECT id FROM sample))
    LIMIT $4 - (SELECT count(*) FROM beginning) - (SELECT count(*) FROM sample)
  )
  SELECT rank, id AS "userId", first_name AS "firstName", last_name AS "lastName", email
  FROM (SELECT * FROM beginning UNION ALL SELECT 2, * FROM sample UNION ALL SELECT 2, * FROM part) found
  ORDER BY rank, search_text, id`;

interface Query {
  byTrigrams: Statement;
  byPieces: Statement;
}

const queryOf = (name: string, allowed: string): Query => ({
  byTrigrams: { name, text: usersQuery(allowed, BY_TRIGRAMS) },
  byPieces: { name: `${name}_by_pieces`, text: usersQuery(allowed, BY_PIECES) },
});
const EXCEPT_ME = queryOf('users_except_me', 'id <> $5');
/** OFFSET 0: each person is looked up among the members, and the members are never gone through for each person. */
const EXCEPT_MEMBERS = queryOf(
  'users_except_members',
  'NOT EXISTS (SELECT FROM members WHERE members.conversation_id = $5 AND members.user_id = person.id OFFSET 0)',
);

/** A group has one field, between two line breaks. */
const MY_GROUPS: Statement = {
  name: 'my_groups',
  text: `
  SELECT CASE WHEN strpos(conversation.search_text, E'\\n' || $1 || E'\\n') > 0 THEN 0
      WHEN strpos(conversation.search_text, E'\\n' || $1) > 0 THEN 1 ELSE 2 END AS rank,
    conversation.id AS "groupId", conversation.name AS "groupName"
  FROM members me
  JOIN conversations conversation ON conversation.id = me.conversation_id
  WHERE me.user_id = $4 AND me.companion_id IS NULL AND conversation.search_text LIKE $2
  ORDER BY rank, conversation.search_text, conversation.id
  LIMIT $3`,
};

function findPeople(database: Database, query: Query, searchText: string, limit: number, except: string): Promise<UserMatch[]> {
  const { binds, hasTrigrams } = termOf(searchText);
  return database.run(hasTrigrams ? query.byTrigrams : query.byPieces, [...binds, limit, except]);
}

/** People whose name or e-mail matches, but not the user `exceptUserId`; best matches first. */
export function findUsers(database: Database, searchText: string, limit: number, exceptUserId: string): Promise<UserMatch[]> {
  return findPeople(database, EXCEPT_ME, searchText, limit, exceptUserId);
}

/** The same, but not the members of a group. */
export function findUsersNotInGroup(database: Database, searchText: string, limit: number, groupId: string): Promise<UserMatch[]> {
  return findPeople(database, EXCEPT_MEMBERS, searchText, limit, groupId);
}

/** Groups of the user whose name matches, best matches first. */
export function findMyGroups(database: Database, searchText: string, limit: number, userId: string): Promise<GroupMatch[]> {
  const [text, , pattern] = termOf(searchText).binds;
  return database.run(MY_GROUPS, [text, pattern, limit, userId]);
}
