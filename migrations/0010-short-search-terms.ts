import type { SqlMigration } from '../src/db/migrator.ts';

/**
 * An index for what the trigram index cannot tell from other texts: one or two characters, and signs.
 *
 * It holds each character of a search text, and each two side by side. The text is cut into pairs twice, the second time from its
 * second character on; pairs with a line break fall apart. Built-in functions do it, as it is done for everybody who is written.
 */
export const shortSearchTerms: SqlMigration = {
  name: '0010-short-search-terms',
  up: `
    CREATE FUNCTION search_pieces(search_text text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN string_to_array(search_text, NULL)
      || string_to_array(regexp_replace(search_text, '..', E'\\\\&\\n', 'g'), E'\\n')
      || string_to_array(regexp_replace(substr(search_text, 2), '..', E'\\\\&\\n', 'g'), E'\\n');
    CREATE INDEX users_search_pieces ON users USING gin (search_pieces(search_text) COLLATE "C");
  `,
  down: 'DROP INDEX users_search_pieces; DROP FUNCTION search_pieces',
};
