import type { SqlMigration } from '../src/db/migrator.ts';

/** Characters of a message that are searched. A text with many more words cannot be made a list of words at all. */
const SEARCHED = 10_000;

/**
 * Messages that are found by the index are looked up only when there are no more of them than this, in all conversations together:
 * what is in more of them is common, and found faster from the newest one on.
 */
const LOOKED_UP = 10_000;
/** Matches that the planner expects: up to so many, the index is asked first; from so many on, naming them all would take too long. */
const RARE = 10_000;
const TOO_COMMON = 500_000;
/** Messages that are gone through before the index is asked, and when the index is no help. */
const GLANCE = 200;
const WALK = 10_000;

/**
 * Message search. Words are those of the configuration `message_words`: without case and accents, and in no language.
 *
 * The index names conversations too, so that it finds in one of them what is common in others. It cannot tell an order: before the newest
 * match can be shown, all are named. So there are two ways, and the cost of a page is bounded on both.
 * `look_up_messages` asks the index, and gives up when it names too many. `walk_messages` goes through the reader's messages from the newest
 * one on, for a number of messages; it may find less than a page then, and says how far it came.
 *
 * What the planner expects decides which way is first; it sees the query itself, not a parameter. The plans of everything else are pinned.
 */
export const messageSearch: SqlMigration = {
  name: '0007-message-search',
  up: `
    CREATE EXTENSION IF NOT EXISTS unaccent;
    CREATE TEXT SEARCH CONFIGURATION message_words (COPY = simple);
    ALTER TEXT SEARCH CONFIGURATION message_words ALTER MAPPING FOR word, numword WITH unaccent, simple;

    -- PostgreSQL would take addresses, paths, tags and signed numbers for single words. Its lower case has two forms of one Greek letter.
    CREATE FUNCTION message_words(content text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('message_words'::regconfig,
      replace(regexp_replace(left(content, ${SEARCHED}), '[-./@<&+_~]', ' ', 'g'), 'ς', 'σ'));

    CREATE INDEX messages_words ON messages USING gin ((ARRAY[conversation_id]), message_words(content));

    -- All the words, the last one of them as the beginning of a word; null when there is none.
    CREATE FUNCTION words_query(wanted text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
      SELECT string_agg(quote_literal(lexeme) || CASE WHEN place = last_place THEN ':*' ELSE '' END, ' & ')::tsquery
      FROM (
        SELECT lexeme, positions[cardinality(positions)] AS place, max(positions[cardinality(positions)]) OVER () AS last_place
        FROM unnest(message_words(wanted))
      ) word
    );

    -- Letters that are written in parts may be stored so, or whole.
    CREATE FUNCTION message_query(wanted text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN words_query(normalize(wanted, NFC)) = words_query(normalize(wanted, NFD)) THEN words_query(normalize(wanted, NFC))
      ELSE words_query(normalize(wanted, NFC)) || words_query(normalize(wanted, NFD)) END;

    CREATE FUNCTION expected_messages(query tsquery, only_in uuid) RETURNS float8 LANGUAGE plpgsql AS $$
    DECLARE plan json;
    BEGIN
      EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM messages WHERE message_words(content) @@ %L::tsquery', query)
        || CASE WHEN only_in IS NULL THEN '' ELSE format(' AND ARRAY[conversation_id] @> ARRAY[%L::uuid]', only_in) END
        INTO plan;
      RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
    END $$;

    -- The newest of all matches before a place; null when there are too many.
    CREATE FUNCTION look_up_messages(
      reader_id uuid, query tsquery, only_in uuid, before_at timestamptz, before_id uuid, max_rows int, OUT ids uuid[], OUT times timestamptz[]
    ) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
    #variable_conflict use_column
    DECLARE all_ids uuid[]; all_times timestamptz[];
    BEGIN
      IF only_in IS NULL THEN
        SELECT array_agg(conversation_id), array_agg(created_at) INTO all_ids, all_times FROM (
          SELECT conversation_id, created_at FROM messages WHERE message_words(content) @@ query AND deleted_at IS NULL LIMIT ${LOOKED_UP + 1}
        ) named;
      ELSE
        SELECT array_agg(conversation_id), array_agg(created_at) INTO all_ids, all_times FROM (
          SELECT conversation_id, created_at FROM messages
          WHERE ARRAY[conversation_id] @> ARRAY[only_in] AND message_words(content) @@ query AND deleted_at IS NULL
          LIMIT ${LOOKED_UP + 1}
        ) named;
      END IF;
      IF cardinality(all_ids) > ${LOOKED_UP} THEN RETURN; END IF;

      SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(at), '{}') INTO ids, times FROM (
        SELECT named.id, named.at FROM unnest(all_ids, all_times) AS named (id, at)
        CROSS JOIN LATERAL (
          SELECT cleared_at FROM members WHERE conversation_id = named.id AND user_id = reader_id LIMIT 1
        ) me
        WHERE named.at > me.cleared_at AND (named.at, named.id) < (before_at, before_id)
        ORDER BY at DESC, id DESC
        LIMIT max_rows
      ) newest;
    END $$;

    -- How many messages there are between a time and a place, up to a number.
    CREATE FUNCTION count_messages(
      chat_ids uuid[], clears timestamptz[], lasts timestamptz[], since timestamptz, before_at timestamptz, before_id uuid, at_most int
    ) RETURNS int LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
    #variable_conflict use_variable
    BEGIN
      RETURN (SELECT count(*) FROM (
        SELECT FROM unnest(chat_ids, clears, lasts) AS chat (id, cleared_at, last_at)
        CROSS JOIN LATERAL (
          SELECT FROM messages
          WHERE conversation_id = chat.id AND created_at > chat.cleared_at AND created_at >= since AND created_at <= before_at
            AND (created_at, conversation_id) < (before_at, before_id)
          OFFSET 0
        ) message
        WHERE chat.last_at >= since
        LIMIT at_most
      ) counted);
    END $$;

    -- The newest matches before a place among about the next most messages, and the time down to which these are; -infinity when there are no more.
    CREATE FUNCTION walk_messages(
      reader_id uuid, query tsquery, only_in uuid, before_at timestamptz, before_id uuid, most int, max_rows int,
      OUT ids uuid[], OUT times timestamptz[], OUT since timestamptz
    ) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
    #variable_conflict use_column
    DECLARE
      chat_ids uuid[]; clears timestamptz[]; lasts timestamptz[];
      newest timestamptz;
      span interval := '1 minute';
    BEGIN
      SELECT array_agg(id), array_agg(cleared_at), array_agg(last_message_at), least(before_at, max(last_message_at))
      INTO chat_ids, clears, lasts, newest
      FROM (
        SELECT chat.id, me.cleared_at, chat.last_message_at FROM members me
        CROSS JOIN LATERAL (SELECT id, last_message_at FROM conversations WHERE id = me.conversation_id LIMIT 1) chat
        WHERE me.user_id = reader_id AND chat.last_message_at > me.cleared_at AND (only_in IS NULL OR me.conversation_id = only_in)
      ) chats;

      since := '-infinity';
      IF count_messages(chat_ids, clears, lasts, since, before_at, before_id, most + 1) > most THEN
        -- Far back there may be nothing for years.
        IF newest = before_at THEN
          SELECT max(message.created_at) INTO newest FROM unnest(chat_ids, clears) AS chat (id, cleared_at)
          CROSS JOIN LATERAL (
            SELECT created_at FROM messages
            WHERE conversation_id = chat.id AND created_at > chat.cleared_at AND created_at <= before_at
              AND (created_at, conversation_id) < (before_at, before_id)
            ORDER BY created_at DESC LIMIT 1
          ) message;
        END IF;
        WHILE count_messages(chat_ids, clears, lasts, newest - span * 4, before_at, before_id, most + 1) <= most LOOP
          span := span * 4;
        END LOOP;
        WHILE span > '1 ms' AND count_messages(chat_ids, clears, lasts, newest - span, before_at, before_id, most + 1) > most LOOP
          span := span / 4;
        END LOOP;
        since := date_trunc('milliseconds', newest - span);
      END IF;

      SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(at), '{}') INTO ids, times FROM (
        SELECT message.conversation_id AS id, message.created_at AS at
        FROM unnest(chat_ids, clears, lasts) AS chat (id, cleared_at, last_at)
        CROSS JOIN LATERAL (
          SELECT conversation_id, created_at FROM messages
          WHERE conversation_id = chat.id AND created_at > chat.cleared_at AND created_at >= since AND created_at <= before_at
            AND (created_at, conversation_id) < (before_at, before_id)
            AND message_words(content) @@ query AND deleted_at IS NULL
          OFFSET 0
        ) message
        WHERE chat.last_at >= since
        ORDER BY at DESC, id DESC
        LIMIT max_rows
      ) newest_matches;
    END $$;

    -- The newest matches before a place that the reader may see, newest first, and a last row that is none: the place to go on from.
    CREATE FUNCTION search_messages(
      reader_id uuid, wanted text, only_in uuid, before_at timestamptz, before_id uuid, max_rows int
    ) RETURNS TABLE (conversation_id uuid, created_at timestamptz, is_next boolean) LANGUAGE plpgsql STABLE ROWS 20 AS $$
    DECLARE
      query tsquery := message_query(wanted);
      expected float8;
      found record;
    BEGIN
      IF query IS NULL THEN RETURN; END IF;
      expected := expected_messages(query, only_in);
      IF expected <= ${RARE} THEN
        SELECT *, '-infinity'::timestamptz AS since INTO found
        FROM look_up_messages(reader_id, query, only_in, before_at, before_id, max_rows + 1);
      END IF;
      IF expected > ${RARE} OR found.ids IS NULL THEN
        SELECT * INTO found FROM walk_messages(reader_id, query, only_in, before_at, before_id, ${GLANCE}, max_rows + 1);
        IF cardinality(found.ids) <= max_rows AND found.since > '-infinity' THEN
          IF expected > ${RARE} AND expected <= ${TOO_COMMON} THEN
            SELECT *, '-infinity'::timestamptz AS since INTO found
            FROM look_up_messages(reader_id, query, only_in, before_at, before_id, max_rows + 1);
          ELSE
            found.ids := NULL;
          END IF;
          IF found.ids IS NULL THEN
            SELECT * INTO found FROM walk_messages(reader_id, query, only_in, before_at, before_id, ${WALK}, max_rows + 1);
          END IF;
        END IF;
      END IF;

      RETURN QUERY SELECT match.id, match.at, false FROM unnest(found.ids[:max_rows], found.times[:max_rows]) AS match (id, at);
      IF cardinality(found.ids) > max_rows THEN
        RETURN QUERY SELECT found.ids[max_rows], found.times[max_rows], true;
      ELSIF found.since > '-infinity' THEN
        RETURN QUERY SELECT '00000000-0000-0000-0000-000000000000'::uuid, found.since, true;
      END IF;
    END $$;
  `,
  down: `
    DROP FUNCTION search_messages, walk_messages, count_messages, look_up_messages, expected_messages, message_query, words_query;
    DROP INDEX messages_words;
    DROP FUNCTION message_words;
    DROP TEXT SEARCH CONFIGURATION message_words`,
};
