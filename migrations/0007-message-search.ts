import type { SqlMigration } from '../src/db/migrator.ts';

/** Characters of a message that are searched. A text with many more words cannot be made a list of words at all. */
const SEARCHED = 10_000;

/**
 * Matches that the index may name, in all conversations together, and newer messages of the reader that it does not know yet:
 * what there is more of is found faster from the newest one on.
 */
const LOOKED_UP = 10_000;
const NOT_INDEXED = 5_000;
/** Messages of everybody that the index does not know yet: when there are no more, the reader's chats are not asked for theirs. */
const FEW = 100;
/** Matches that the planner expects: up to so many, the index is asked first; from so many on, naming them all would take too long. */
const RARE = 1_000;
const TOO_COMMON = 200_000;
/** Messages that are gone through before the index is asked, and then, by and by, when the index is no help. */
const GLANCE = 200;
const WALKS = [2_000, 10_000];

/** Messages are indexed when they are older than this: by then whatever was written earlier can be seen. */
const SETTLED = '20 s';
/** Any number: whoever holds it indexes messages. */
const INDEX_LOCK = 7_301_927;

/**
 * Message search. Words are those of the configuration `message_words`: without case and accents, and in no language.
 *
 * An index of words on `messages` would cost a send a third of the database's time more, and its cleaning would hold up sends for half
 * a second. So the words are in a table beside it, which is filled after the sends, in order of time, up to `search_progress`. What is
 * newer is searched without an index, so all is found at once. A message that is changed takes its words along.
 *
 * The index names conversations too, so that it finds in one of them what is common in others. It cannot tell an order: before the newest
 * match can be shown, all are named. So there are two ways, on both of which the messages that are read for a page are bounded.
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

    CREATE TABLE searched_messages (
      conversation_id uuid NOT NULL,
      created_at timestamptz(3) NOT NULL,
      words tsvector NOT NULL
    );
    INSERT INTO searched_messages (conversation_id, created_at, words)
    SELECT conversation_id, created_at, strip(message_words(content)) FROM messages;
    ALTER TABLE searched_messages ADD PRIMARY KEY (conversation_id, created_at);
    CREATE INDEX searched_messages_words ON searched_messages USING gin ((ARRAY[conversation_id]), words);

    CREATE TABLE search_progress (id int PRIMARY KEY DEFAULT 1 CHECK (id = 1), indexed_until timestamptz(3) NOT NULL);
    INSERT INTO search_progress (indexed_until) VALUES (now() - interval '${SETTLED}');

    -- Finds what was written lately.
    CREATE INDEX messages_created_at ON messages (created_at);

    CREATE FUNCTION reindex_message() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO searched_messages VALUES (NEW.conversation_id, NEW.created_at, strip(message_words(NEW.content)))
      ON CONFLICT (conversation_id, created_at) DO UPDATE SET words = excluded.words;
      RETURN NULL;
    END $$;
    CREATE TRIGGER reindex_message AFTER UPDATE OF content ON messages FOR EACH ROW EXECUTE FUNCTION reindex_message();

    -- Indexes what was written after one time and up to another one, wherever that is not done yet.
    CREATE FUNCTION index_messages(after timestamptz, until timestamptz) RETURNS void LANGUAGE plpgsql
      SET plan_cache_mode = force_custom_plan AS $$
    BEGIN
      INSERT INTO searched_messages
      SELECT conversation_id, created_at, strip(message_words(content)) FROM messages WHERE created_at > after AND created_at <= until
      ON CONFLICT DO NOTHING;
      -- Searches read what is not in its place in the index one by one.
      PERFORM gin_clean_pending_list('searched_messages_words');
    END $$;

    -- Goes on indexing, for about so many messages; whether more are left. Nothing is done while somebody else does it.
    CREATE FUNCTION index_next_messages(at_most int) RETURNS boolean LANGUAGE plpgsql
      SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
    DECLARE
      after timestamptz;
      settled timestamptz := date_trunc('milliseconds', clock_timestamp()) - interval '${SETTLED}';
      until timestamptz;
      counted int;
    BEGIN
      IF NOT pg_try_advisory_xact_lock(${INDEX_LOCK}) THEN RETURN false; END IF;
      SELECT indexed_until INTO after FROM search_progress WHERE id = 1;
      SELECT count(*), max(created_at) INTO counted, until FROM (
        SELECT created_at FROM messages WHERE created_at > after AND created_at <= settled ORDER BY created_at LIMIT at_most
      ) next;
      IF counted > 0 THEN
        PERFORM index_messages(after, until);
        UPDATE search_progress SET indexed_until = until WHERE id = 1;
      END IF;
      RETURN counted = at_most;
    END $$;

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
      EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM searched_messages WHERE words @@ %L::tsquery', query)
        || CASE WHEN only_in IS NULL THEN '' ELSE format(' AND ARRAY[conversation_id] @> ARRAY[%L::uuid]', only_in) END
        INTO plan;
      RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
    END $$;

    -- The newest of all matches before a place; null when there are too many, or too many messages that are not indexed.
    CREATE FUNCTION look_up_messages(
      reader_id uuid, query tsquery, only_in uuid, before_at timestamptz, before_id uuid, max_rows int, OUT ids uuid[], OUT times timestamptz[]
    ) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
    #variable_conflict use_column
    DECLARE
      known_ids uuid[]; known_times timestamptz[];
      known_until timestamptz;
      chat_ids uuid[];
      new_ids uuid[]; new_times timestamptz[]; new_count int;
    BEGIN
      IF only_in IS NULL THEN
        SELECT array_agg(conversation_id), array_agg(created_at) INTO known_ids, known_times FROM (
          SELECT conversation_id, created_at FROM searched_messages WHERE words @@ query LIMIT ${LOOKED_UP + 1}
        ) named;
      ELSE
        SELECT array_agg(conversation_id), array_agg(created_at) INTO known_ids, known_times FROM (
          SELECT conversation_id, created_at FROM searched_messages
          WHERE ARRAY[conversation_id] @> ARRAY[only_in] AND words @@ query
          LIMIT ${LOOKED_UP + 1}
        ) named;
      END IF;
      IF cardinality(known_ids) > ${LOOKED_UP} THEN RETURN; END IF;

      SELECT indexed_until INTO known_until FROM search_progress WHERE id = 1;
      IF only_in IS NULL THEN
        SELECT count(*), array_agg(DISTINCT conversation_id) INTO new_count, chat_ids FROM (
          SELECT conversation_id FROM messages WHERE created_at > known_until ORDER BY created_at LIMIT ${FEW + 1}
        ) newer;
        IF new_count > ${FEW} THEN chat_ids := ARRAY(SELECT conversation_id FROM members WHERE user_id = reader_id); END IF;
      ELSE
        chat_ids := ARRAY[only_in];
      END IF;
      SELECT count(*), array_agg(conversation_id) FILTER (WHERE is_match), array_agg(created_at) FILTER (WHERE is_match)
      INTO new_count, new_ids, new_times
      FROM (
        SELECT message.conversation_id, message.created_at, message_words(message.content) @@ query AS is_match
        FROM (SELECT id FROM conversations WHERE id = ANY (chat_ids) AND last_message_at > known_until OFFSET 0) chat
        CROSS JOIN LATERAL (
          SELECT conversation_id, created_at, content FROM messages
          WHERE conversation_id = chat.id AND created_at > known_until
          OFFSET 0
        ) message
        LIMIT ${NOT_INDEXED + 1}
      ) newer;
      IF new_count > ${NOT_INDEXED} THEN RETURN; END IF;

      SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(at), '{}') INTO ids, times FROM (
        SELECT named.id, named.at FROM (
          SELECT id, at
          FROM (SELECT * FROM unnest(known_ids, known_times) UNION SELECT * FROM unnest(new_ids, new_times)) AS either (id, at)
          WHERE (at, id) < (before_at, before_id)
          ORDER BY at DESC, id DESC
          OFFSET 0
        ) named
        CROSS JOIN LATERAL (SELECT cleared_at FROM members WHERE conversation_id = named.id AND user_id = reader_id LIMIT 1) me
        WHERE named.at > me.cleared_at
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
      known_until timestamptz;
      span interval := '1 minute';
    BEGIN
      -- The newest page cannot have messages of more chats than messages.
      SELECT array_agg(id), array_agg(cleared_at), array_agg(last_message_at), least(before_at, max(last_message_at))
      INTO chat_ids, clears, lasts, newest
      FROM (
        SELECT chat.id, me.cleared_at, chat.last_message_at
        FROM (
          SELECT id, last_message_at FROM conversations
          WHERE id = ANY (CASE WHEN only_in IS NULL THEN ARRAY(SELECT conversation_id FROM members WHERE user_id = reader_id) ELSE ARRAY[only_in] END)
          ORDER BY last_message_at DESC
          OFFSET 0
        ) chat
        CROSS JOIN LATERAL (SELECT cleared_at FROM members WHERE conversation_id = chat.id AND user_id = reader_id LIMIT 1) me
        WHERE chat.last_message_at > me.cleared_at
        LIMIT CASE WHEN before_at = 'infinity' THEN most + 1 END
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
        WHILE span > '1 ms' AND count_messages(chat_ids, clears, lasts, newest - span, before_at, before_id, most + 1) > most LOOP
          span := span / 4;
        END LOOP;
        WHILE count_messages(chat_ids, clears, lasts, newest - span * 4, before_at, before_id, most + 1) <= most LOOP
          span := span * 4;
        END LOOP;
        since := date_trunc('milliseconds', newest - span);
      END IF;

      SELECT indexed_until INTO known_until FROM search_progress WHERE id = 1;
      SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(at), '{}') INTO ids, times FROM (
        SELECT message.conversation_id AS id, message.created_at AS at
        FROM unnest(chat_ids, clears, lasts) AS chat (id, cleared_at, last_at)
        CROSS JOIN LATERAL (
          SELECT conversation_id, created_at FROM searched_messages
          WHERE conversation_id = chat.id AND created_at > chat.cleared_at AND created_at >= since AND created_at <= before_at
            AND created_at <= known_until AND words @@ query
          UNION ALL
          SELECT conversation_id, created_at FROM messages
          WHERE conversation_id = chat.id AND created_at > chat.cleared_at AND created_at >= since AND created_at <= before_at
            AND created_at > known_until AND message_words(content) @@ query
          OFFSET 0
        ) message
        WHERE chat.last_at >= since AND (message.created_at, message.conversation_id) < (before_at, before_id)
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
      most int;
      ids uuid[]; times timestamptz[]; since timestamptz;
    BEGIN
      IF query IS NULL THEN RETURN; END IF;
      expected := expected_messages(query, NULL);
      IF expected <= ${RARE} THEN
        SELECT * INTO ids, times FROM look_up_messages(reader_id, query, only_in, before_at, before_id, max_rows + 1);
      END IF;
      IF ids IS NULL THEN
        SELECT * INTO ids, times, since FROM walk_messages(reader_id, query, only_in, before_at, before_id, ${GLANCE}, max_rows + 1);
        IF since > '-infinity' AND cardinality(ids) <= max_rows THEN
          IF expected <= ${RARE} OR expected_messages(query, only_in) > ${TOO_COMMON} THEN
            ids := NULL;
          ELSE
            since := NULL;
            SELECT * INTO ids, times FROM look_up_messages(reader_id, query, only_in, before_at, before_id, max_rows + 1);
          END IF;
          IF ids IS NULL THEN
            FOREACH most IN ARRAY ARRAY[${WALKS}] LOOP
              SELECT * INTO ids, times, since FROM walk_messages(reader_id, query, only_in, before_at, before_id, most, max_rows + 1);
              EXIT WHEN since = '-infinity' OR cardinality(ids) > max_rows;
            END LOOP;
          END IF;
        END IF;
      END IF;

      RETURN QUERY SELECT match.id, match.at, false FROM unnest(ids[:max_rows], times[:max_rows]) AS match (id, at);
      IF cardinality(ids) > max_rows THEN
        RETURN QUERY SELECT ids[max_rows], times[max_rows], true;
      ELSIF since > '-infinity' THEN
        RETURN QUERY SELECT '00000000-0000-0000-0000-000000000000'::uuid, since, true;
      END IF;
    END $$;
  `,
  down: `
    DROP FUNCTION search_messages, walk_messages, count_messages, look_up_messages, expected_messages, message_query, words_query;
    DROP FUNCTION index_next_messages, index_messages;
    DROP TRIGGER reindex_message ON messages;
    DROP FUNCTION reindex_message;
    DROP INDEX messages_created_at;
    DROP TABLE searched_messages, search_progress;
    DROP FUNCTION message_words;
    DROP TEXT SEARCH CONFIGURATION message_words`,
};
