import type { SqlMigration } from '../src/db/migrator.ts';

/**
 * Indexes that keep reads small.
 *
 * The trigram index knows words, not lines: asked for a field that begins with what is a common word elsewhere, it names everybody.
 * So each line of a search text has an index of its own, in the order of bytes, where what begins alike stands together
 * and what is equal stands first.
 *
 * The ids of a user's conversations, and of the few among them that are groups, are read from an index alone.
 */
export const readIndexes: SqlMigration = {
  name: '0004-read-indexes',
  up: `
    CREATE INDEX users_search_line_2 ON users (split_part(search_text, E'\\n', 2) COLLATE "C");
    CREATE INDEX users_search_line_3 ON users (split_part(search_text, E'\\n', 3) COLLATE "C");
    CREATE INDEX users_search_line_4 ON users (split_part(search_text, E'\\n', 4) COLLATE "C");
    CREATE INDEX users_search_line_5 ON users (split_part(search_text, E'\\n', 5) COLLATE "C");
    CREATE INDEX members_conversations ON members (user_id, conversation_id);
    DROP INDEX members_user_id;
    CREATE INDEX members_groups ON members (user_id, conversation_id) WHERE companion_id IS NULL;
  `,
  down: `
    CREATE INDEX members_user_id ON members (user_id);
    DROP INDEX members_groups, members_conversations,
      users_search_line_2, users_search_line_3, users_search_line_4, users_search_line_5`,
};
