import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../src/lib/freePort.ts';
import { newDatabase } from './support/database.ts';
import { Herd } from './support/herd.ts';
import { newUser, type TestUser } from './support/http.ts';
import { newPerson, write } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { newDirectory, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';

const USERS = 100;
const CONNECTIONS_PER_USER = 50;
const CONNECTIONS = USERS * CONNECTIONS_PER_USER;
/** How long they take at most, in milliseconds, to come for the first time, in peace. On a machine where they take longer all may take longer. */
const GATHERED_WITHIN = 8_000;
/** How long it may take until all are back, in milliseconds. */
const BACK_WITHIN = 30_000;
/** How often somebody else writes, and how long that message may take meanwhile, in milliseconds. */
const INTERVAL = 50;
const ARRIVES_WITHIN = 5_000;

describe.skipIf(!isRedisInstalled)('5,000 clients of a server that restarts', () => {
  let redis: RedisServer;
  let variables: Record<string, string>;
  let directory: string;
  let here: ServerProcess;
  let there: ServerProcess;
  let herd: Herd | undefined;

  const startThere = async () => {
    there = await startProcess(directory, variables);
  };

  beforeAll(async () => {
    redis = await RedisServer.start();
    directory = await newDirectory();
    const shared = {
      DATABASE_URL: await newDatabase(),
      REDIS_URL: redis.url,
      JWT_SECRET: randomBytes(32).toString('hex'),
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'warn',
    };
    here = await startProcess(directory, shared);
    variables = { ...shared, PORT: `${await freePort()}` };
    await startThere();
  });
  afterAll(async () => {
    await herd?.end();
    await sweep();
    await redis?.stop();
  });

  test('are all back within 30 s, and hear again, while the messages of others keep flowing', { timeout: 900_000 }, async () => {
    const users: TestUser[] = [];
    while (users.length < USERS) users.push(...(await Promise.all(Array.from({ length: 20 }, () => newUser(here)))));
    const tokens = users.map(({ token }) => token);
    herd = new Herd({ urls: [here.url, there.url], tokens, connectionsPerToken: CONNECTIONS_PER_USER });
    const gathering = performance.now();
    await herd.until(({ open }) => open === CONNECTIONS, 20 * GATHERED_WITHIN);
    const slowness = Math.max(1, (performance.now() - gathering) / GATHERED_WITHIN);
    const backWithin = BACK_WITHIN * slowness;
    const [ann, bob] = [await newPerson(here), await newPerson(here)];
    let longest = 0;
    let isOver = false;
    const talk = async () => {
      for (let count = 0; !isOver; count++) {
        const begun = performance.now();
        await write(ann, bob, `${count}`);
        await bob.socket.until((frame) => 'success' in frame && frame.params.item?.message === `${count}`);
        longest = Math.max(longest, performance.now() - begun);
        bob.socket.frames.length = 0;
        ann.socket.frames.length = 0;
        await delay(INTERVAL);
      }
    };
    const talking = talk();
    const begun = performance.now();
    const [code] = await Promise.all([there.stop(), herd.until(({ open }) => open < CONNECTIONS / 2, backWithin)]);
    expect(code).toBe(0);
    await startThere();
    await herd.until(({ open, opened }) => open === CONNECTIONS && opened >= 2 * CONNECTIONS, backWithin);
    expect(performance.now() - begun).toBeLessThan(backWithin);
    isOver = true;
    await talking;
    expect(longest).toBeLessThan(ARRIVES_WITHIN * slowness);
    const { received } = herd.report;
    await Promise.all(users.map((user) => write(ann, user, 'Welcome back')));
    await herd.until((report) => report.received === received + CONNECTIONS, backWithin);
  });
});
