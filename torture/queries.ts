import pg from 'pg';
import type { StoredConversation, StoredMessage } from './archive.ts';

interface ConversationRow extends Omit<StoredConversation, 'messages' | 'lastMessageAt'> {
  lastMessageAt: Date;
}
interface MessageRow extends Omit<StoredMessage, 'createdAt' | 'editedAt' | 'deletedAt'> {
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
}

/** Works on a connection of its own, which is closed when it returns. */
async function withClient<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Resolves when the database answers; rejects when it does not. */
export async function ping(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, (client) => client.query('SELECT 1'));
}

/** Keeps the write-ahead log small, so that a small volume is filled by data. */
export async function limitLog(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    await client.query("ALTER SYSTEM SET max_wal_size = '128MB'");
    await client.query('SELECT pg_reload_conf()');
  });
}

/** Ends the connections of the server that `choose` picks by pid; returns how many. */
export async function terminateBackends(databaseUrl: string, choose: (pids: number[]) => number[]): Promise<number> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid",
    );
    const chosen = choose(rows.map(({ pid }) => pid));
    const ended = await client.query('SELECT FROM unnest($1::int[]) AS pid WHERE pg_terminate_backend(pid)', [chosen]);
    return ended.rowCount ?? 0;
  });
}

/** Everything that is stored. */
export async function readStored(databaseUrl: string): Promise<StoredConversation[]> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<ConversationRow>(
      'SELECT id, last_seq::float8 AS "lastSeq", last_rev::float8 AS "lastRev", last_message_at AS "lastMessageAt" FROM conversations',
    );
    const conversations: StoredConversation[] = [];
    for (const row of rows) {
      const { rows: messages } = await client.query<MessageRow>(
        `SELECT id AS "messageId", sender_id AS "senderId", content, created_at AS "createdAt",
          edited_at AS "editedAt", deleted_at AS "deletedAt", reply_to_id AS "replyToId", coalesce(reactions, '[]') AS reactions,
          coalesce((
            SELECT jsonb_agg(jsonb_build_object('userId', user_id, 'emoji', emoji)) FROM reactions given
            WHERE given.conversation_id = messages.conversation_id AND given.message_id = messages.id
          ), '[]') AS reactors,
          seq::float8 AS seq, rev::float8 AS rev, notification
        FROM messages WHERE conversation_id = $1 ORDER BY seq, created_at`,
        [row.id],
      );
      conversations.push({
        ...row,
        lastMessageAt: row.lastMessageAt.getTime(),
        messages: messages.map(storedMessage),
      });
    }
    return conversations;
  });
}

function storedMessage({ createdAt, editedAt, deletedAt, ...message }: MessageRow): StoredMessage {
  const changed = { editedAt: editedAt?.getTime() ?? null, deletedAt: deletedAt?.getTime() ?? null };
  return { ...message, ...changed, createdAt: createdAt.getTime() };
}
