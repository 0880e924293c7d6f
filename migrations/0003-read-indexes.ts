import type { SqlMigration } from '../src/db/migrator.ts';

/**
 * Indexes that keep reads small.
 *
 * The trigram index knows words, not lines: asked for a field that begins with what is a common word elsewhere, it names everybody.
 * So each line of a search text has an index of its own, in the order of bytes, where what begins alike stands together
 * and what is equal stands first.
 *
 * A user's groups are few among that user's dialogs.
 */
export const readIndexes: SqlMigration = {
  name: '0003-read-indexes',
  up: `
    CREATE INDEX users_search_line_2 ON users (split_part(search_text, E'\\n', 2) COLLATE "C");
    CREATE INDEX users_search_line_3 ON users (split_part(search_text, E'\\n', 3) COLLATE "C");
    CREATE INDEX users_search_line_4 ON users (split_part(search_text, E'\\n', 4) COLLATE "C");
    CREATE INDEX users_search_line_5 ON users (split_part(search_text, E'\\n', 5) COLLATE "C");
    CREATE INDEX members_groups ON members (user_id, conversation_id) WHERE companion_id IS NULL;
  `,
  down: 'DROP INDEX users_search_line_2, users_search_line_3, users_search_line_4, users_search_line_5, members_groups',
};
