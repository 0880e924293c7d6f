import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { deviceOf, heard, newCircle, newPerson, type Person, write, writeToGroup } from './support/people.ts';
import { startServer, type TestServer } from './support/server.ts';
import { connect } from './support/socket.ts';

/** How long the connections of a topic are left in peace, in milliseconds: any topic, and one with this many. */
const PAUSE = 2_000;
const MANY = 1_000;
const PAUSE_OF_MANY = 4_000;

describe('Who repeats a message again and again', () => {
  let server: TestServer;
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    server = await startServer({ MAX_CONNECTIONS_PER_USER: String(2 * MANY), RATE_LIMITS: 'off' });
  });
  beforeEach(async () => {
    [ann, bob] = [await newPerson(server), await newPerson(server)];
  });
  afterAll(() => server.app.stop());

  /**
   * How long after the first time the listener is told a second time to catch up, in milliseconds, while `repeat` goes on. Measured from
   * before the first repeat until the second is seen to be told: no delay of the machine makes that shorter than the pause.
   */
  async function pauseOf(listener: Person, repeat: () => Promise<unknown>): Promise<number> {
    // What is sent for the first time is no repeat.
    await repeat();
    const begun = performance.now();
    await eventually(async () => {
      await repeat();
      expect((await heard(listener, 'catchUp')).length).toBeGreaterThan(1);
    });
    return performance.now() - begun;
  }

  test('makes the other catch up every two seconds at most', async () => {
    const listener = await deviceOf(server, bob, ['catchUp']);
    const messageId = randomUUID();
    expect(await pauseOf(listener, () => write(ann, bob, 'Again', messageId))).toBeGreaterThan(PAUSE - 1);
  });

  test('makes a group of a thousand connections catch up no more often than they can', async () => {
    const groupId = await newCircle(server, [ann, bob]);
    await Promise.all(Array.from({ length: MANY }, () => connect(server, bob)));
    const listener = await deviceOf(server, bob, ['catchUp']);
    const messageId = randomUUID();
    expect(await pauseOf(listener, () => writeToGroup(ann, groupId, 'Again', messageId))).toBeGreaterThan(PAUSE_OF_MANY - 1);
  });
});
