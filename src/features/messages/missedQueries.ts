import type { Database, Statement } from '../../db/sequelize.ts';
import { type HistoryRow, MESSAGE, PEOPLE } from './columns.ts';
import type { NamedConversation } from './conversation.ts';

/** Who missed more messages of a conversation than this, new or changed, reads it anew. */
const MAX_MISSED = 1_000;
/** Characters of messages in one answer, unless a single message has more. It is as much as the largest page of a history has by default. */
const MAX_LENGTH = 1_000_000;

/** A conversation, and the `rev` up to which the client knows it. */
export type Cursor = NamedConversation & { afterRev: number };

/** What the user missed of one conversation. */
export interface MissedOfConversation {
  cursor: Cursor;
  /** Whether the user may read it. */
  isMember: boolean;
  /** The conversation's last of both; 0 where there is none. */
  seq: number;
  rev: number;
  /** The user deleted the dialog up to this `seq`. */
  clearedSeq: number;
  /** Too much was missed, or a database that was restored knows less than the client. */
  isReset: boolean;
  /** By `rev`. */
  rows: HistoryRow[];
  /** The `rev` after which the rest is to be asked for; null when there is none. */
  next: number | null;
}

interface State {
  /** The time of the database, before anything was read. */
  now: Date;
  /** Which of the cursors it is, from 1; null when there are none, and so are the others. */
  place: number | null;
  isMember: boolean;
  lastSeq: number;
  lastRev: number;
  clearedSeq: number;
  /** What the user missed is after this `rev`. */
  fromRev: number;
  /** The most rows that can have been missed; null when it is to be read anew. */
  span: number | null;
  /** Of those, how many may be read. */
  room: number;
  /** They are looked for up to this `rev`. */
  toRev: number;
}
type Row = State & (HistoryRow | { messageId: null });

/** Where more numbers passed than may be missed rows count, wherever they are. */
const TO_REV = `CASE WHEN me.last_rev - me.from_rev > ${MAX_MISSED} THEN me.last_rev ELSE me.from_rev + me.room END`;

/**
 * One statement, and so one moment: what is read of a conversation is what its `last_rev` says. What was missed is told by the numbers
 * alone where they differ little, and of the conversations, in their order, only as many rows are read as there is room for.
 *
 * Each change has one row at most, and none when the row was changed again later: there may be less to read than the numbers say.
 * Only where they say too much rows are counted, in the index. That so many are new is known without: a row's `rev` is never less than its `seq`.
 * For the same reason what the user has deleted is not even looked at, unless it was changed later.
 *
 * Every LIMIT makes it look up one conversation after the other, whatever the planner guesses, and OFFSET 0 makes it count once.
 */
const MISSED: Statement = {
  name: 'missed',
  text: `
  SELECT clock.moment AS now, me.place::int AS place, me.conversation_id IS NOT NULL AS "isMember",
    me.last_seq::float8 AS "lastSeq", me.last_rev::float8 AS "lastRev", me.cleared_seq::float8 AS "clearedSeq",
    me.from_rev::float8 AS "fromRev", me.span::float8 AS span, me.room::float8 AS room, (${TO_REV})::float8 AS "toRev",
    me.name AS "groupName",${MESSAGE}
  FROM (SELECT now()) AS clock (moment)
  LEFT JOIN (
    SELECT counted.*, least(span, greatest($5::bigint - (sum(span) OVER (ORDER BY place) - span), 0))::bigint AS room
    FROM (
      SELECT known.*, CASE
        WHEN last_rev < after_rev OR last_seq - from_rev > ${MAX_MISSED} THEN NULL
        WHEN last_rev - from_rev <= ${MAX_MISSED} THEN last_rev - from_rev
        ELSE (
          SELECT nullif(count(*), ${MAX_MISSED + 1})
          FROM (SELECT FROM messages WHERE conversation_id = known.conversation_id AND rev > known.from_rev LIMIT ${MAX_MISSED + 1}) changed
        )
      END AS span
      FROM (
        SELECT given.place, given.after_rev, member.user_id, member.companion_id, conversation.id AS conversation_id, conversation.name,
          coalesce(conversation.last_seq, 0) AS last_seq, coalesce(conversation.last_rev, 0) AS last_rev,
          coalesce(member.cleared_seq, 0) AS cleared_seq, greatest(given.after_rev, member.cleared_seq) AS from_rev
        FROM unnest($2::uuid[], $3::text[], $4::bigint[]) WITH ORDINALITY AS given (id, kind, after_rev, place)
        LEFT JOIN LATERAL (SELECT * FROM members WHERE conversation_id = given.id AND user_id = $1 LIMIT 1) member ON true
        LEFT JOIN LATERAL (SELECT * FROM conversations WHERE id = member.conversation_id AND kind = given.kind LIMIT 1) conversation ON true
      ) known
      OFFSET 0
    ) counted
  ) me ON true
  LEFT JOIN LATERAL (
    SELECT * FROM messages
    WHERE conversation_id = me.conversation_id AND rev > me.from_rev AND rev <= ${TO_REV} AND seq > me.cleared_seq
    ORDER BY rev
    LIMIT me.room
  ) message ON true${PEOPLE}
  ORDER BY me.place, message.rev`,
};

const isMessage = (row: Row): row is State & HistoryRow => row.messageId !== null;

/** What the user missed of each of these conversations, in their order and no more than `limit` rows in all; and when it was so. */
export async function readMissed(
  database: Database,
  userId: string,
  cursors: Cursor[],
  limit: number,
): Promise<{ now: Date; missed: MissedOfConversation[] }> {
  const ids = cursors.map(({ conversationId }) => conversationId);
  const kinds = cursors.map(({ kind }) => kind);
  const revs = cursors.map(({ afterRev }) => afterRev);
  const rows = await database.run<Row>(MISSED, [userId, ids, kinds, revs, limit]);
  const [first] = rows;
  if (!first) throw new Error('the database did not tell its time');
  const given = new Set(fitting(rows.filter(isMessage)));
  const missed = cursors.map((cursor, index) =>
    missedOf(
      cursor,
      rows.filter(({ place }) => place === index + 1),
      given,
    ),
  );
  return { now: first.now, missed };
}

/** The first of the rows, as many as one answer may hold. */
function fitting<R extends HistoryRow>(rows: R[]): R[] {
  let length = 0;
  const end = rows.findIndex(({ content }, index) => {
    length += content.length;
    return index > 0 && length > MAX_LENGTH;
  });
  return end < 0 ? rows : rows.slice(0, end);
}

function missedOf(cursor: Cursor, read: Row[], given: Set<Row>): MissedOfConversation {
  const [state] = read;
  if (!state) throw new Error('the database left a cursor out');
  const { isMember, lastSeq: seq, lastRev: rev, clearedSeq, fromRev, toRev, span, room } = state;
  const found = read.filter(isMessage);
  const rows = found.filter((row) => given.has(row));
  const isFull = rows.length < found.length || rows.length === room;
  const reached = isFull ? (rows.at(-1)?.rev ?? fromRev) : toRev;
  const isReset = span === null;
  return { cursor, isMember, seq, rev, clearedSeq, isReset, rows, next: !isReset && reached < rev ? reached : null };
}
