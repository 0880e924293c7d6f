import type { SqlMigration } from '../src/db/migrator.ts';
import { readingAndAnswering } from './0006-reading-and-answering.ts';

const { up } = readingAndAnswering;

/**
 * What answers another message never begins a dialog: there is nothing in it to answer. Refused, it would leave a dialog in which
 * nothing was ever written, and by which two strangers would share a chat.
 */
export const answersBeginNothing: SqlMigration = {
  name: '0008-answers-begin-nothing',
  up: `
    CREATE OR REPLACE FUNCTION write_messages(
      conversation_ids uuid[], message_ids uuid[], sender_ids uuid[], receiver_ids uuid[], reply_to_ids uuid[],
      contents text[], notifications boolean[]
    ) RETURNS TABLE (
      outcome text, seq float8, rev float8, created_at timestamptz, sender_name text, sender_last_name text, group_name text,
      quoted_name text, quoted_content text, quoted_deleted boolean, quoted_hidden boolean
    ) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
      SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    #variable_conflict use_column
    DECLARE
      moment timestamptz;
      locked uuid[];
    BEGIN
      -- Dialogs begin with their first message, which answers none. Missing ones are made before any lock is taken, in the order of ids:
      -- so two processes that begin the same dialogs wait for one another, never in a circle.
      IF EXISTS (
        SELECT FROM unnest(conversation_ids, receiver_ids, reply_to_ids) AS i (conversation_id, receiver_id, reply_to_id)
        WHERE i.receiver_id IS NOT NULL AND i.reply_to_id IS NULL
          AND NOT EXISTS (SELECT FROM conversations c WHERE c.id = i.conversation_id)
      ) THEN
        WITH input AS (
          SELECT DISTINCT i.conversation_id, i.sender_id, i.receiver_id
          FROM unnest(conversation_ids, sender_ids, receiver_ids, reply_to_ids)
            AS i (conversation_id, sender_id, receiver_id, reply_to_id)
          WHERE i.receiver_id IS NOT NULL AND i.reply_to_id IS NULL
            AND NOT EXISTS (SELECT FROM conversations c WHERE c.id = i.conversation_id)
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
          author.first_name AS quoted_name, left(quoted.content, 200) AS quoted_content, quoted.deleted_at IS NOT NULL AS quoted_deleted,
          coalesce(quoted.seq <= reader.cleared_seq, false) AS quoted_hidden,
          CASE
            WHEN sender.id IS NULL THEN 'unauthorized'
            WHEN known.sender_id = i.sender_id THEN 'duplicate'
            WHEN i.receiver_id IS NOT NULL AND receiver.id IS NULL THEN 'no_such_user'
            WHEN c.id IS NULL AND i.receiver_id IS NOT NULL AND i.reply_to_id IS NOT NULL THEN 'no_such_message'
            WHEN c.id IS NULL OR i.receiver_id IS NULL AND member.user_id IS NULL THEN 'not_a_member'
            WHEN known.id IS NOT NULL THEN 'message_id_taken'
            WHEN i.reply_to_id IS NOT NULL AND (quoted.id IS NULL OR quoted.seq <= member.cleared_seq) THEN 'no_such_message'
            ELSE 'stored'
          END AS outcome
        FROM unnest(conversation_ids, message_ids, sender_ids, receiver_ids, reply_to_ids, contents, notifications) WITH ORDINALITY
          AS i (conversation_id, message_id, sender_id, receiver_id, reply_to_id, content, notification, position)
        LEFT JOIN users sender ON sender.id = i.sender_id AND sender.deleted_at IS NULL
        LEFT JOIN users receiver ON receiver.id = i.receiver_id AND receiver.deleted_at IS NULL
        LEFT JOIN conversations c ON c.id = i.conversation_id AND c.id = ANY (locked)
        -- The two of a dialog are its members by its id. OFFSET 0: for them nothing is looked up, unless they answer.
        LEFT JOIN LATERAL (
          SELECT m.user_id, m.cleared_seq FROM members m
          WHERE CASE WHEN i.receiver_id IS NULL THEN m.companion_id IS NULL ELSE i.reply_to_id IS NOT NULL END
            AND m.conversation_id = i.conversation_id AND m.user_id = i.sender_id
          OFFSET 0
        ) member ON true
        LEFT JOIN messages known ON known.conversation_id = i.conversation_id AND known.id = i.message_id
        LEFT JOIN messages quoted ON quoted.conversation_id = i.conversation_id AND quoted.id = i.reply_to_id
        LEFT JOIN users author ON author.id = quoted.sender_id
        LEFT JOIN members reader ON reader.conversation_id = quoted.conversation_id AND reader.user_id = i.receiver_id
      ), counted AS (
        SELECT k.*, count(*) OVER (PARTITION BY k.conversation_id) AS total,
          count(*) FILTER (WHERE k.outcome = 'stored') OVER (PARTITION BY k.conversation_id ORDER BY k.position) AS place
        FROM checked k
      ), placed AS MATERIALIZED (
        SELECT n.*, greatest(moment, n.last_message_at + n.total * interval '1 ms') - (n.total - n.place) * interval '1 ms' AS new_at
        FROM counted n
      ), stored AS (
        INSERT INTO messages (conversation_id, created_at, id, sender_id, seq, rev, notification, content, updated_at, reply_to_id)
        SELECT p.conversation_id, p.new_at, p.message_id, p.sender_id, p.last_seq + p.place, p.last_rev + p.place,
          p.notification, p.content, p.new_at, p.reply_to_id
        FROM placed p WHERE p.outcome = 'stored'
      ), moved AS (
        UPDATE conversations c SET last_seq = c.last_seq + last.place, last_rev = c.last_rev + last.place, last_message_at = last.at,
          lower_sent_seq = coalesce(c.last_seq + last.lower_place, c.lower_sent_seq),
          higher_sent_seq = coalesce(c.last_seq + last.higher_place, c.higher_sent_seq)
        FROM (
          SELECT p.conversation_id, max(p.place) AS place, max(p.new_at) AS at,
            max(p.place) FILTER (WHERE p.sender_id <= p.receiver_id) AS lower_place,
            max(p.place) FILTER (WHERE p.sender_id >= p.receiver_id) AS higher_place
          FROM placed p WHERE p.outcome = 'stored' GROUP BY p.conversation_id
        ) last
        WHERE c.id = last.conversation_id
      ), read AS (
        UPDATE members m SET read_seq = last.seq
        FROM (
          SELECT p.conversation_id, p.sender_id, max(p.last_seq + p.place) AS seq
          FROM placed p WHERE p.outcome = 'stored' AND p.receiver_id IS NULL GROUP BY p.conversation_id, p.sender_id
        ) last
        WHERE m.conversation_id = last.conversation_id AND m.user_id = last.sender_id
      )
      SELECT p.outcome, coalesce(p.known_seq, p.last_seq + p.place)::float8, coalesce(p.known_rev, p.last_rev + p.place)::float8,
        coalesce(p.known_at, p.new_at), p.first_name, p.last_name, p.name,
        p.quoted_name, p.quoted_content, p.quoted_deleted, p.quoted_hidden
      FROM placed p
      ORDER BY p.position;
    END $$;
  `,
  down: up.slice(up.indexOf('DROP FUNCTION write_messages')),
};
