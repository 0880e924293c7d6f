import type { SqlMigration } from '../src/db/migrator.ts';

/**
 * Rows of users and conversations are never removed, so no foreign key guards what points at them on the way of a message:
 * checking one would lock a row for every row written.
 */
export const tables: SqlMigration = {
  name: '0001-tables',
  up: `
    CREATE EXTENSION IF NOT EXISTS citext;
    CREATE EXTENSION IF NOT EXISTS pg_trgm;

    CREATE TABLE users (
      id uuid PRIMARY KEY,
      email citext UNIQUE,
      first_name text NOT NULL,
      last_name text,
      password_hash text,
      search_text text NOT NULL,
      deleted_at timestamptz(3),
      created_at timestamptz(3) NOT NULL,
      updated_at timestamptz(3) NOT NULL,
      CHECK ((email IS NULL) = (deleted_at IS NOT NULL)),
      CHECK ((password_hash IS NULL) = (deleted_at IS NOT NULL))
    );
    CREATE INDEX users_search_text ON users USING gin (search_text gin_trgm_ops);

    CREATE TABLE sessions (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users,
      expires_at timestamptz(3) NOT NULL,
      created_at timestamptz(3) NOT NULL
    );
    CREATE INDEX sessions_user_id ON sessions (user_id);

    CREATE TABLE conversations (
      id uuid PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('dialog', 'group')),
      name text,
      search_text text NOT NULL DEFAULT '',
      creator_id uuid,
      last_seq bigint NOT NULL DEFAULT 0,
      last_rev bigint NOT NULL DEFAULT 0,
      last_message_at timestamptz(3) NOT NULL DEFAULT 'epoch',
      deleted_at timestamptz(3),
      created_at timestamptz(3) NOT NULL DEFAULT now(),
      CHECK ((kind = 'group') = (name IS NOT NULL)),
      CHECK ((kind = 'group') = (creator_id IS NOT NULL))
    ) WITH (fillfactor = 70);

    CREATE TABLE members (
      conversation_id uuid NOT NULL,
      user_id uuid NOT NULL,
      companion_id uuid,
      role text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member')),
      joined_at timestamptz(3) NOT NULL DEFAULT now(),
      read_seq bigint NOT NULL DEFAULT 0,
      cleared_seq bigint NOT NULL DEFAULT 0,
      cleared_at timestamptz(3) NOT NULL DEFAULT 'epoch',
      PRIMARY KEY (conversation_id, user_id)
    );
    CREATE INDEX members_user_id ON members (user_id);

    CREATE TABLE messages (
      conversation_id uuid NOT NULL,
      created_at timestamptz(3) NOT NULL,
      id uuid NOT NULL,
      sender_id uuid NOT NULL,
      seq bigint NOT NULL,
      rev bigint NOT NULL,
      notification boolean NOT NULL,
      content text NOT NULL,
      updated_at timestamptz(3) NOT NULL,
      deleted_at timestamptz(3),
      PRIMARY KEY (conversation_id, created_at),
      UNIQUE (conversation_id, id)
    );
    CREATE INDEX messages_rev ON messages (conversation_id, rev);
  `,
  down: 'DROP TABLE messages, members, conversations, sessions, users',
};
