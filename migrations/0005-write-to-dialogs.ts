import type { SqlMigration } from '../src/db/migrator.ts';
import { fasterWriteMessages } from './0003-faster-write-messages.ts';

/**
 * The shortest way for what nearly every message is: a new one, in a dialog that exists. `write_to_dialogs` stores those of each dialog
 * one after the other and returns a row for each dialog, with the numbers and the time before its first message. It leaves out a dialog
 * that does not exist and one with a deleted account, and fails as a whole when a message is stored already: both are for `write_messages`.
 * The messages of a dialog are next to each other; its first one is at `firsts + 1`.
 *
 * `write_messages` writes only what it has locked: a group that is committed while it waits for its locks is not among them.
 *
 * A dense page of conversations is cleaned up with every message: room in it makes that cheap. Pages that are full already stay so
 * until `VACUUM FULL conversations`.
 */
export const writeToDialogs: SqlMigration = {
  name: '0005-write-to-dialogs',
  up: `
    ALTER TABLE conversations SET (fillfactor = 50);

    CREATE FUNCTION write_to_dialogs(
      conversation_ids uuid[], user_ids uuid[], companion_ids uuid[], firsts int[], counts int[],
      message_ids uuid[], sender_ids uuid[], contents text[]
    ) RETURNS TABLE (
      place int, seq float8, rev float8, created_at timestamptz,
      user_name text, user_last_name text, companion_name text, companion_last_name text
    ) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
      SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz;
      locked uuid[];
    BEGIN
      -- In the order of ids, as everybody does: so two processes wait for one another, never in a circle.
      -- One that is committed meanwhile is not among them, and left out.
      locked := ARRAY(SELECT c.id FROM conversations c WHERE c.id = ANY (conversation_ids) ORDER BY c.id FOR UPDATE);
      moment := date_trunc('milliseconds', clock_timestamp());

      RETURN QUERY
      WITH moved AS (
        UPDATE conversations c SET last_seq = c.last_seq + i.total, last_rev = c.last_rev + i.total,
          last_message_at = greatest(moment, c.last_message_at + i.total * interval '1 ms')
        FROM unnest(conversation_ids, user_ids, companion_ids, firsts, counts) WITH ORDINALITY
          AS i (conversation_id, user_id, companion_id, first, total, place)
        JOIN users u ON u.id = i.user_id AND u.deleted_at IS NULL
        JOIN users companion ON companion.id = i.companion_id AND companion.deleted_at IS NULL
        WHERE c.id = i.conversation_id AND i.conversation_id = ANY (locked)
        RETURNING i.place, i.first, i.total, c.id, c.last_seq - i.total AS seq, c.last_rev - i.total AS rev,
          c.last_message_at - i.total * interval '1 ms' AS at,
          u.first_name, u.last_name, companion.first_name AS companion_name, companion.last_name AS companion_last_name
      ), stored AS (
        INSERT INTO messages (conversation_id, created_at, id, sender_id, seq, rev, notification, content, updated_at)
        SELECT m.id, m.at + m.number * interval '1 ms', message_ids[m.first + m.number], sender_ids[m.first + m.number],
          m.seq + m.number, m.rev + m.number, false, contents[m.first + m.number], m.at + m.number * interval '1 ms'
        FROM (SELECT moved.*, generate_series(1, total) AS number FROM moved) m
      )
      SELECT m.place::int, m.seq::float8, m.rev::float8, m.at, m.first_name, m.last_name, m.companion_name, m.companion_last_name
      FROM moved m;
    END $$;

    CREATE OR REPLACE FUNCTION write_messages(
      conversation_ids uuid[], message_ids uuid[], sender_ids uuid[], receiver_ids uuid[], contents text[], notifications boolean[]
    ) RETURNS TABLE (
      outcome text, seq float8, rev float8, created_at timestamptz, sender_name text, sender_last_name text, group_name text
    ) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
      SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz;
      locked uuid[];
    BEGIN
      -- Dialogs begin with their first message. Missing ones are made before any lock is taken, in the order of ids:
      -- so two processes that begin the same dialogs wait for one another, never in a circle.
      IF EXISTS (
        SELECT FROM unnest(conversation_ids, receiver_ids) AS i (conversation_id, receiver_id)
        WHERE i.receiver_id IS NOT NULL AND NOT EXISTS (SELECT FROM conversations c WHERE c.id = i.conversation_id)
      ) THEN
        WITH input AS (
          SELECT DISTINCT i.conversation_id, i.sender_id, i.receiver_id
          FROM unnest(conversation_ids, sender_ids, receiver_ids) AS i (conversation_id, sender_id, receiver_id)
          WHERE i.receiver_id IS NOT NULL AND NOT EXISTS (SELECT FROM conversations c WHERE c.id = i.conversation_id)
        ), begun AS (
          INSERT INTO conversations (id, kind)
          SELECT DISTINCT i.conversation_id, 'dialog' FROM input i
          JOIN users sender ON sender.id = i.sender_id AND sender.deleted_at IS NULL
          JOIN users receiver ON receiver.id = i.receiver_id AND receiver.deleted_at IS NULL
          ORDER BY 1
          ON CONFLICT DO NOTHING
          RETURNING id
        )
        INSERT INTO members (conversation_id, user_id, companion_id)
        SELECT b.id, side.user_id, side.companion_id FROM begun b
        JOIN input i ON i.conversation_id = b.id
        CROSS JOIN LATERAL (VALUES (i.sender_id, i.receiver_id), (i.receiver_id, i.sender_id)) AS side (user_id, companion_id)
        ON CONFLICT DO NOTHING;
      END IF;

      locked := ARRAY(SELECT c.id FROM conversations c WHERE c.id = ANY (conversation_ids) ORDER BY c.id FOR UPDATE);

      -- From here on nobody else moves these conversations: their numbers can be read first and written at the end.
      -- One that was committed meanwhile is not among them, and not written to yet.
      moment := date_trunc('milliseconds', clock_timestamp());

      RETURN QUERY
      WITH checked AS (
        SELECT i.*, known.seq AS known_seq, known.rev AS known_rev, known.created_at AS known_at,
          c.last_seq, c.last_rev, c.last_message_at, c.name, sender.first_name, sender.last_name,
          CASE
            WHEN sender.id IS NULL THEN 'unauthorized'
            WHEN known.sender_id = i.sender_id THEN 'duplicate'
            WHEN i.receiver_id IS NOT NULL AND receiver.id IS NULL THEN 'no_such_user'
            WHEN c.id IS NULL OR i.receiver_id IS NULL AND member.user_id IS NULL THEN 'not_a_member'
            WHEN known.id IS NOT NULL THEN 'message_id_taken'
            ELSE 'stored'
          END AS outcome
        FROM unnest(conversation_ids, message_ids, sender_ids, receiver_ids, contents, notifications) WITH ORDINALITY
          AS i (conversation_id, message_id, sender_id, receiver_id, content, notification, position)
        LEFT JOIN users sender ON sender.id = i.sender_id AND sender.deleted_at IS NULL
        LEFT JOIN users receiver ON receiver.id = i.receiver_id AND receiver.deleted_at IS NULL
        LEFT JOIN conversations c ON c.id = i.conversation_id AND c.id = ANY (locked)
        -- The two of a dialog are its members by its id. OFFSET 0: for them nothing is looked up.
        LEFT JOIN LATERAL (
          SELECT m.user_id FROM members m
          WHERE i.receiver_id IS NULL AND m.conversation_id = i.conversation_id AND m.user_id = i.sender_id AND m.companion_id IS NULL
          OFFSET 0
        ) member ON true
        LEFT JOIN messages known ON known.conversation_id = i.conversation_id AND known.id = i.message_id
      ), counted AS (
        SELECT k.*, count(*) OVER (PARTITION BY k.conversation_id) AS total,
          count(*) FILTER (WHERE k.outcome = 'stored') OVER (PARTITION BY k.conversation_id ORDER BY k.position) AS place
        FROM checked k
      ), placed AS MATERIALIZED (
        SELECT n.*, greatest(moment, n.last_message_at + n.total * interval '1 ms') - (n.total - n.place) * interval '1 ms' AS new_at
        FROM counted n
      ), stored AS (
        INSERT INTO messages (conversation_id, created_at, id, sender_id, seq, rev, notification, content, updated_at)
        SELECT p.conversation_id, p.new_at, p.message_id, p.sender_id, p.last_seq + p.place, p.last_rev + p.place,
          p.notification, p.content, p.new_at
        FROM placed p WHERE p.outcome = 'stored'
      ), moved AS (
        UPDATE conversations c SET last_seq = c.last_seq + last.place, last_rev = c.last_rev + last.place, last_message_at = last.at
        FROM (
          SELECT p.conversation_id, max(p.place) AS place, max(p.new_at) AS at
          FROM placed p WHERE p.outcome = 'stored' GROUP BY p.conversation_id
        ) last
        WHERE c.id = last.conversation_id
      )
      SELECT p.outcome, coalesce(p.known_seq, p.last_seq + p.place)::float8, coalesce(p.known_rev, p.last_rev + p.place)::float8,
        coalesce(p.known_at, p.new_at), p.first_name, p.last_name, p.name
      FROM placed p
      ORDER BY p.position;
    END $$;
  `,
  down: `
    ALTER TABLE conversations SET (fillfactor = 70);
    DROP FUNCTION write_to_dialogs;
    ${fasterWriteMessages.up}`,
};
