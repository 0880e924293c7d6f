import type { Database, Statement } from '../../db/sequelize.ts';

/** A session, as a token names it. */
export interface SessionName {
  readonly sessionId: string;
  readonly userId: string;
}

/** What a new connection needs of its session. */
export interface SessionRow {
  /** The user's groups; null when the session has ended or is not the user's. */
  groupIds: string[] | null;
}

/** Sub-selects and not joins: each session and each user's groups are looked up, whatever the planner thinks of the tables' sizes. */
const READ: Statement = {
  name: 'read_sessions',
  text: `
    SELECT CASE WHEN (SELECT user_id FROM sessions WHERE id = asked.session_id) = asked.user_id
      THEN ARRAY(SELECT conversation_id FROM members WHERE user_id = asked.user_id AND companion_id IS NULL) END AS "groupIds"
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (session_id, user_id, position)
    ORDER BY position`,
};

/** The sessions that tokens name, a row for each, in their order. */
export function readSessions(database: Database, sessions: SessionName[]): Promise<SessionRow[]> {
  return database.runBatch<SessionRow>(READ, [sessions.map(({ sessionId }) => sessionId), sessions.map(({ userId }) => userId)]);
}
