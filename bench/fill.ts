import pg from 'pg';
import type { Stage, Target } from './stage.ts';

/** A server, and the address of the database it works on. */
interface Filled {
  target: Target;
  databaseUrl: string;
}

/** Starts a server on a database of its own beside the stage's; a server that was given is both. */
export async function startBeside(stage: Stage, name: string): Promise<Filled> {
  const url = await stage.database();
  if (stage.options.url) return { target: await stage.server(), databaseUrl: url };
  await withClient(url, (client) => client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`));
  const other = new URL(url);
  other.pathname = `/${name}`;
  return { target: await stage.server({ DATABASE_URL: other.href }), databaseUrl: other.href };
}

/** Works on a connection that is closed when it returns. */
export async function withClient<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
