import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Message, MessengerClient } from '../client/index.ts';
import { newDatabase, query } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { newCircle, newPerson, type Person } from './support/people.ts';
import { isRedisInstalled, RedisServer } from './support/redis.ts';
import { newDirectory, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';

const PEOPLE = 9;
/** Messages that each person keeps under way. */
const UNDER_WAY = 4;
/** How long the load goes on before and after the death of a server, in milliseconds. */
const LOAD = 1_500;

describe.skipIf(!isRedisInstalled)('One of three servers that is killed under load', () => {
  let redis: RedisServer;
  let databaseUrl: string;
  let servers: [ServerProcess, ServerProcess, ServerProcess];

  beforeAll(async () => {
    redis = await RedisServer.start();
    databaseUrl = await newDatabase();
    const variables = {
      DATABASE_URL: databaseUrl,
      REDIS_URL: redis.url,
      JWT_SECRET: randomBytes(32).toString('hex'),
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'warn',
    };
    const directory = await newDirectory();
    const start = () => startProcess(directory, variables);
    servers = await Promise.all([start(), start(), start()]);
  });
  afterAll(async () => {
    await sweep();
    await redis?.stop();
  });

  /** Somebody on the client library, whose connections lead to one of the servers after the other. */
  class Application {
    readonly messages: Message[] = [];
    readonly acknowledged: string[] = [];
    readonly client: MessengerClient;
    #isWriting = true;

    constructor({ id, token }: Person, first: number) {
      let next = first;
      const urls = servers.map(({ url }) => `${url.replace('http', 'ws')}/api/ws`);
      class Balanced extends WebSocket {
        constructor(_url: string, protocols: string[]) {
          super(urls[next++ % urls.length] ?? '', protocols);
        }
      }
      const state = { changedSince: new Date(0).toISOString(), positions: [] };
      const timings = { firstWait: 50, longestWait: 500 };
      this.client = new MessengerClient({ url: 'ws://any', userId: id, token, state, WebSocket: Balanced, timings });
      this.client.on('message', (message) => this.messages.push(message));
    }

    /** Writes into a group, message after message, until `rest`; resolves when all is acknowledged. */
    async write(groupId: string): Promise<void> {
      await Promise.all(
        Array.from({ length: UNDER_WAY }, async () => {
          while (this.#isWriting) {
            const messageId = crypto.randomUUID();
            await this.client.send({ groupId, content: 'Under load', messageId });
            this.acknowledged.push(messageId);
          }
        }),
      );
    }

    rest(): void {
      this.#isWriting = false;
    }
  }

  test('loses nothing that was acknowledged, and everybody ends with what is stored', async () => {
    const [first, second] = servers;
    const people: Person[] = [];
    for (let count = 0; count < PEOPLE; count++) people.push(await newPerson(first));
    const groupId = await newCircle(first, people as [Person, ...Person[]]);
    await Promise.all(people.map(({ socket }) => socket.close()));
    const applications = people.map((person, index) => new Application(person, index));
    await eventually(() => expect(applications.every(({ client }) => client.status === 'online')).toBe(true));
    const writing = applications.map((application) => application.write(groupId));
    await delay(LOAD);
    await second.kill();
    const before = applications.map(({ acknowledged }) => acknowledged.length);
    await delay(LOAD);
    for (const application of applications) application.rest();
    await Promise.all(writing);
    // One more, after which everybody knows what there is.
    const last = await applications[0]?.client.send({ groupId, content: 'The last one' });
    const stored = await query<{ id: string; rev: number }>(
      databaseUrl,
      'SELECT id, rev::int AS rev FROM messages WHERE conversation_id = $1 ORDER BY rev',
      [groupId],
    );
    expect(stored.map(({ rev }) => rev)).toEqual(stored.map((_row, index) => index + 1));
    expect(last?.rev).toBe(stored.length);
    const ids = stored.map(({ id }) => id);
    await eventually(() => {
      for (const { messages } of applications) expect(messages.filter((message) => message.groupId === groupId)).toHaveLength(ids.length);
    });
    const isStored = new Set(ids);
    for (const [index, { acknowledged, messages, client }] of applications.entries()) {
      expect(acknowledged.length).toBeGreaterThan(before[index] ?? 0);
      expect(acknowledged.filter((id) => !isStored.has(id))).toEqual([]);
      expect(messages.map(({ messageId }) => messageId)).toEqual(ids);
      client.close();
    }
  });
});
