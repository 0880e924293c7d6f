import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from '../bench/redis.ts';
import { EmbeddedDatabase } from '../src/db/embedded/embeddedDatabase.ts';
import { createLogger } from '../src/lib/logger.ts';
import { Server } from './server.ts';
import type { Verdict } from './verdict.ts';
import { Way } from './way.ts';

/** Several servers as one, not started yet, and what is between them. */
export interface Nodes {
  servers: Server[];
  redis: Redis;
  /** Of each server to Redis. */
  ways: Way[];
}

/**
 * Starts a Redis, and a PostgreSQL on `dataDir` which this process brings back when it is killed, and makes servers for both.
 * `ends` gets what undoes it, the last first.
 * @throws {OperatorError} when there is no redis-server
 */
export async function prepareNodes(count: number, dataDir: string, verdict: Verdict, ends: (() => Promise<unknown>)[]): Promise<Nodes> {
  const directory = path.join(path.dirname(dataDir), 'nodes');
  await mkdir(directory);
  const redis = await Redis.start(directory);
  ends.push(() => redis.kill());
  const database = await EmbeddedDatabase.start(dataDir, createLogger('silent'));
  ends.push(() => database.stop());
  const shared = { DATABASE_URL: database.url, JWT_SECRET: randomBytes(32).toString('hex') };
  const ways: Way[] = [];
  const servers: Server[] = [];
  for (let node = 0; node < count; node++) {
    const way = await Way.open(redis.port);
    ends.push(() => way.close());
    ways.push(way);
    servers.push(new Server(node, directory, { ...shared, REDIS_URL: way.url }, verdict));
  }
  return { servers, redis, ways };
}
