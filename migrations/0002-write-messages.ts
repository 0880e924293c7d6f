import type { SqlMigration } from '../src/db/migrator.ts';

/**
 * The batched write: one call stores any number of messages in any number of conversations, and answers each on its own.
 *
 * A function and not one statement, because its second half must see what others committed while it waited for the locks
 * of the first: then no batch fails on a key that another process has just written, and nobody who has just been removed
 * from a group can still write into it. Planner settings are pinned because plans are cached per connection,
 * and one made while the tables were small would stay.
 *
 * Outcomes: stored; duplicate (the same id from the same sender: numbers of the stored row); message_id_taken;
 * no_such_user (the receiver); not_a_member; unauthorized (the sender's account is gone). Only `stored` changes anything.
 */
export const writeMessages: SqlMigration = {
  name: '0002-write-messages',
  up: `
    CREATE FUNCTION write_messages(
      conversation_ids uuid[], message_ids uuid[], sender_ids uuid[], receiver_ids uuid[], contents text[], notifications boolean[]
    ) RETURNS TABLE (
      outcome text, seq float8, rev float8, created_at timestamptz, sender_name text, sender_last_name text, group_name text
    ) LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    #variable_conflict use_column
    BEGIN
      -- Dialogs begin with their first message. Missing ones are made before any lock is taken, in the order of ids:
      -- so two processes that begin the same dialogs wait for one another, never in a circle.
      WITH input AS (
        SELECT DISTINCT i.conversation_id, i.sender_id, i.receiver_id
        FROM unnest(conversation_ids, sender_ids, receiver_ids) AS i (conversation_id, sender_id, receiver_id)
        WHERE i.receiver_id IS NOT NULL AND NOT EXISTS (SELECT FROM conversations c WHERE c.id = i.conversation_id)
      ), begun AS (
        INSERT INTO conversations (id, kind)
        SELECT DISTINCT i.conversation_id, 'dialog' FROM input i
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

      PERFORM FROM conversations c WHERE c.id = ANY (conversation_ids) ORDER BY c.id FOR UPDATE;

      RETURN QUERY
      WITH input AS (
        SELECT * FROM unnest(conversation_ids, message_ids, sender_ids, receiver_ids, contents, notifications) WITH ORDINALITY
          AS i (conversation_id, message_id, sender_id, receiver_id, content, notification, position)
      ), checked AS (
        SELECT i.*, known.seq AS known_seq, known.rev AS known_rev, known.created_at AS known_created_at,
          sender.first_name, sender.last_name, c.name AS group_name,
          CASE
            WHEN sender.id IS NULL THEN 'unauthorized'
            WHEN known.sender_id = i.sender_id THEN 'duplicate'
            WHEN i.receiver_id IS NOT NULL AND receiver.id IS NULL THEN 'no_such_user'
            WHEN member.user_id IS NULL THEN 'not_a_member'
            WHEN known.id IS NOT NULL THEN 'message_id_taken'
          END AS refusal
        FROM input i
        LEFT JOIN users sender ON sender.id = i.sender_id AND sender.deleted_at IS NULL
        LEFT JOIN users receiver ON receiver.id = i.receiver_id AND receiver.deleted_at IS NULL
        LEFT JOIN conversations c ON c.id = i.conversation_id
        LEFT JOIN members member ON member.conversation_id = i.conversation_id AND member.user_id = i.sender_id
          AND (member.companion_id IS NULL) = (i.receiver_id IS NULL)
        LEFT JOIN messages known ON known.conversation_id = i.conversation_id AND known.id = i.message_id
      ), attempted AS (
        SELECT k.*, row_number() OVER same_id AS attempt, first_value(k.sender_id) OVER same_id AS first_sender_id
        FROM checked k WHERE k.refusal IS NULL
        WINDOW same_id AS (PARTITION BY k.conversation_id, k.message_id ORDER BY k.position)
      ), fresh AS (
        SELECT a.*, count(*) OVER (PARTITION BY a.conversation_id) - row_number() OVER (PARTITION BY a.conversation_id ORDER BY a.position)
          AS followers
        FROM attempted a WHERE a.attempt = 1
      ), touched AS (
        UPDATE conversations c SET
          last_seq = c.last_seq + grown.by,
          last_rev = c.last_rev + grown.by,
          last_message_at = greatest(date_trunc('milliseconds', clock_timestamp()), c.last_message_at + grown.by * interval '1 ms')
        FROM (SELECT f.conversation_id, count(*) AS by FROM fresh f GROUP BY f.conversation_id) grown
        WHERE c.id = grown.conversation_id
        RETURNING c.id, c.last_seq, c.last_rev, c.last_message_at
      ), stored AS (
        INSERT INTO messages (conversation_id, created_at, id, sender_id, seq, rev, notification, content, updated_at)
        SELECT f.conversation_id, placed.at, f.message_id, f.sender_id, t.last_seq - f.followers, t.last_rev - f.followers,
          f.notification, f.content, placed.at
        FROM fresh f
        JOIN touched t ON t.id = f.conversation_id
        CROSS JOIN LATERAL (SELECT t.last_message_at - f.followers * interval '1 ms' AS at) placed
        RETURNING conversation_id, id, seq, rev, created_at
      )
      SELECT
        coalesce(k.refusal, CASE WHEN a.attempt = 1 THEN 'stored' WHEN a.first_sender_id = k.sender_id THEN 'duplicate' ELSE 'message_id_taken' END),
        coalesce(k.known_seq, s.seq)::float8, coalesce(k.known_rev, s.rev)::float8, coalesce(k.known_created_at, s.created_at),
        k.first_name, k.last_name, k.group_name
      FROM checked k
      LEFT JOIN attempted a ON a.position = k.position
      LEFT JOIN stored s ON s.conversation_id = k.conversation_id AND s.id = k.message_id
      ORDER BY k.position;
    END $$;
  `,
  down: 'DROP FUNCTION write_messages',
};
