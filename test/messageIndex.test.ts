import { afterAll, describe, expect, test, vi } from 'vitest';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { query } from './support/database.ts';
import { holdLock } from './support/lock.ts';
import { readLog } from './support/logs.ts';
import { METRICS_TOKEN, scrape } from './support/metrics.ts';
import { newPerson, type Person, write } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';

/** The server looks every five seconds, and takes some looks to find out what can be indexed. */
const PATIENCE = { timeout: 90_000, interval: 200 };
const TIMEOUT = 120_000;

describe.concurrent('The index of words', () => {
  /** Each has a server, because there is one index in a database. */
  const servers: TestServer[] = [];
  const started = async () => {
    const server = await startServer({ METRICS_TOKEN });
    servers.push(server);
    return { server, ann: await newPerson(server), bob: await newPerson(server) };
  };
  afterAll(() => Promise.all(servers.map(({ app }) => app.stop())));

  /** Writes as of an hour ago, a millisecond after one another: nobody waits for messages to age. */
  async function say({ databaseUrl }: TestServer, from: Person, to: Person, contents: string[]): Promise<void> {
    await write(from, to, 'Begun');
    await query(databaseUrl, "DELETE FROM messages WHERE content = 'Begun'");
    await query(
      databaseUrl,
      `INSERT INTO messages (conversation_id, created_at, id, sender_id, seq, rev, notification, content, updated_at)
       SELECT $1, date_trunc('day', now()) - interval '1 h' + number * interval '1 ms', gen_random_uuid(), $2, number, number, false, content, now()
       FROM unnest($3::text[]) WITH ORDINALITY AS said (content, number)`,
      [dialogId(from.id, to.id), from.id, contents],
    );
  }
  const forgetProgress = ({ databaseUrl }: TestServer) =>
    query(databaseUrl, "UPDATE search_progress SET indexed_until = now() - interval '2 d'");
  const indexed = ({ databaseUrl }: TestServer) =>
    query<{ word: string }>(databaseUrl, 'SELECT strip(words)::text AS word FROM searched_messages ORDER BY created_at, conversation_id');
  /** `number` words that nothing else here has. */
  const words = (number: number) => Array.from({ length: number }, (_, index) => `w${index}`);

  test(
    'takes in fewer at once what the database cannot take in in time, and says so in the log',
    async () => {
      const { server, ann, bob } = await started();
      // As if 101 messages were more than can be indexed in five seconds.
      await query(
        server.databaseUrl,
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF (SELECT count(*) FROM added) > 100 THEN RAISE 'canceling statement due to statement timeout' USING ERRCODE = '57014'; END IF;
           RETURN NULL;
         END $$;
         CREATE TRIGGER refuse AFTER INSERT ON searched_messages REFERENCING NEW TABLE AS added
           FOR EACH STATEMENT EXECUTE FUNCTION refuse()`,
      );
      await say(server, ann, bob, words(400));
      await forgetProgress(server);
      await vi.waitFor(async () => expect(await indexed(server)).toHaveLength(400), PATIENCE);
      const lines = await readLog(server);
      const told = lines.filter(({ msg }) => msg === 'messages could not be indexed, and are tried again, fewer at once');
      expect(told.length).toBeGreaterThan(0);
      expect(told[0]).toMatchObject({ level: 40, messages: 1_000, err: { code: '57014' } });
      expect(lines.map(({ msg }) => msg)).not.toContain('the database does not answer');
    },
    TIMEOUT,
  );

  test(
    'goes on without a message that cannot be indexed or takes too long by itself, and names it in the log',
    async () => {
      const { server, ann, bob } = await started();
      await query(
        server.databaseUrl,
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF NEW.words @@ 'broken' THEN RAISE 'this cannot be read'; END IF;
           IF NEW.words @@ 'slow' THEN RAISE 'canceling statement due to statement timeout' USING ERRCODE = '57014'; END IF;
           RETURN NEW;
         END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON searched_messages FOR EACH ROW EXECUTE FUNCTION refuse()`,
      );
      const carl = await newPerson(server);
      await say(server, ann, bob, ['before', 'broken', 'after']);
      // The same milliseconds as above.
      await say(server, ann, carl, ['beside', 'slow']);
      await forgetProgress(server);
      await vi.waitFor(async () => expect((await indexed(server)).map(({ word }) => word)).toContain("'after'"), PATIENCE);
      expect(new Set((await indexed(server)).map(({ word }) => word))).toEqual(new Set(["'before'", "'beside'", "'after'"]));
      const left = (await readLog(server)).filter(({ msg }) => msg === 'a message cannot be indexed: no search finds it');
      expect(new Set(left.map(({ conversationId }) => conversationId))).toEqual(new Set([bob, carl].map(({ id }) => dialogId(ann.id, id))));
    },
    TIMEOUT,
  );

  test(
    'tells how old the oldest message is that it does not have, and 0 when it has all',
    async () => {
      const { server, ann, bob } = await started();
      const behind = async () => (await scrape(server)).messenger_search_index_behind_seconds;
      expect(await behind()).toBe(0);
      // Somebody else indexes, and does not come on.
      const lock = await holdLock(server.databaseUrl, 'SELECT pg_advisory_xact_lock(7301927)');
      await say(server, ann, bob, ['old']);
      await query(server.databaseUrl, "UPDATE messages SET created_at = now() - interval '1 h' WHERE content = 'old'");
      await forgetProgress(server);
      await vi.waitFor(async () => expect(await behind()).toBeGreaterThan(3_600), PATIENCE);
      expect(await behind()).toBeLessThan(3_600 + PATIENCE.timeout / 1000);
      await lock.release();
      await vi.waitFor(async () => expect(await behind()).toBe(0), PATIENCE);
    },
    TIMEOUT,
  );
});
