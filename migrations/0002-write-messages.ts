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
    ) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
      SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    #variable_conflict use_column
    DECLARE moment timestamptz;
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

      -- From here on nobody else moves these conversations: their numbers can be read first and written at the end.
      moment := date_trunc('milliseconds', clock_timestamp());

      RETURN QUERY
      WITH input AS (
        SELECT * FROM unnest(conversation_ids, message_ids, sender_ids, receiver_ids, contents, notifications) WITH ORDINALITY
          AS i (conversation_id, message_id, sender_id, receiver_id, content, notification, position)
      ), checked AS (
        SELECT i.*, known.seq AS known_seq, known.rev AS known_rev, known.created_at AS known_at,
          c.last_seq, c.last_rev, c.last_message_at, c.name, sender.first_name, sender.last_name,
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
      ), ranked AS (
        -- One id may stand in the batch more than once: the first is stored, the others are its repeats.
        SELECT k.*, k.refusal IS NULL AND row_number() OVER same_id = 1 AS fresh, first_value(k.sender_id) OVER same_id AS first_sender_id
        FROM checked k
        WINDOW same_id AS (PARTITION BY k.conversation_id, k.message_id, k.refusal IS NULL ORDER BY k.position)
      ), counted AS (
        SELECT r.*, count(*) FILTER (WHERE r.fresh) OVER (PARTITION BY r.conversation_id) AS total,
          count(*) FILTER (WHERE r.fresh) OVER (PARTITION BY r.conversation_id ORDER BY r.position) AS place
        FROM ranked r
      ), placed AS MATERIALIZED (
        SELECT n.*, n.last_seq + n.place AS new_seq, n.last_rev + n.place AS new_rev,
          greatest(moment, n.last_message_at + n.total * interval '1 ms') - (n.total - n.place) * interval '1 ms' AS new_at
        FROM counted n
      ), stored AS (
        INSERT INTO messages (conversation_id, created_at, id, sender_id, seq, rev, notification, content, updated_at)
        SELECT p.conversation_id, p.new_at, p.message_id, p.sender_id, p.new_seq, p.new_rev, p.notification, p.content, p.new_at
        FROM placed p WHERE p.fresh
      ), moved AS (
        UPDATE conversations c SET last_seq = last.seq, last_rev = last.rev, last_message_at = last.at
        FROM (
          SELECT p.conversation_id, max(p.new_seq) AS seq, max(p.new_rev) AS rev, max(p.new_at) AS at
          FROM placed p WHERE p.fresh GROUP BY p.conversation_id
        ) last
        WHERE c.id = last.conversation_id
      )
      SELECT
        coalesce(p.refusal, CASE WHEN p.fresh THEN 'stored' WHEN p.first_sender_id = p.sender_id THEN 'duplicate' ELSE 'message_id_taken' END),
        coalesce(p.known_seq, first_value(p.new_seq) OVER same_id)::float8,
        coalesce(p.known_rev, first_value(p.new_rev) OVER same_id)::float8,
        coalesce(p.known_at, first_value(p.new_at) OVER same_id),
        p.first_name, p.last_name, p.name
      FROM placed p
      WINDOW same_id AS (PARTITION BY p.conversation_id, p.message_id, p.refusal IS NULL ORDER BY p.position)
      ORDER BY p.position;
    END $$;
  `,
  down: 'DROP FUNCTION write_messages',
};
