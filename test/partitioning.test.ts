import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { newDatabase, query } from './support/database.ts';
import { block, section } from './support/markdown.ts';
import { newCircle, newPerson, readAll, write, writeToGroup } from './support/people.ts';
import { startServer } from './support/server.ts';
import { connect } from './support/socket.ts';

test('Messages that are partitioned as docs/operations.md says are all there, and a server goes on with them', async () => {
  const sql = block(section(await readFile('docs/operations.md', 'utf8'), 'Partition the messages'), 'sql');
  const databaseUrl = await newDatabase();
  const before = await startServer({}, databaseUrl);
  const [ann, bob] = [await newPerson(before), await newPerson(before)];
  const dialog = { receiverId: bob.id };
  const groupId = await newCircle(before, [ann, bob]);
  const messageId = '0b8f7c7e-4a43-4c60-9d3f-5c8a1f1e2d3c';
  const first = await write(ann, bob, 'First', messageId);
  for (let count = 0; count < 20; count++) await writeToGroup(ann, groupId, `Hello ${count}`);
  const history = [await readAll(ann, 'getlatestMessageDialog', dialog), await readAll(ann, 'getlatestMessageGroup', { groupId })];
  await before.app.stop();

  await query(databaseUrl, sql);

  const after = await startServer({}, databaseUrl);
  const again = { ...ann, socket: await connect(after, ann) };
  expect([await readAll(again, 'getlatestMessageDialog', dialog), await readAll(again, 'getlatestMessageGroup', { groupId })]).toEqual(
    history,
  );
  expect(await write(again, bob, 'First', messageId)).toEqual(first);
  const found = (text: string) => again.socket.rows('searchMessages', { text, limit: 10, cursor: null });
  expect(await found('first')).toMatchObject([{ messageId }]);
  await query(databaseUrl, "UPDATE messages SET content = 'Changed' WHERE id = $1", [messageId]);
  expect([await found('first'), await found('chang')]).toMatchObject([[], [{ messageId }]]);
  await query(databaseUrl, "UPDATE messages SET content = 'First' WHERE id = $1", [messageId]);
  await write(again, bob, 'Second');
  await writeToGroup(again, groupId, 'Hello again');
  for (let count = 0; count < 40; count++) await newCircle(after, [again]);
  expect((await readAll(again, 'getlatestMessageDialog', dialog)).map(({ content }) => content)).toEqual(['Second', 'First']);
  expect(await readAll(again, 'getlatestMessageGroup', { groupId })).toHaveLength((history[1]?.length ?? 0) + 1);
  const [used] = await query<{ parts: string }>(databaseUrl, 'SELECT count(DISTINCT tableoid) AS parts FROM messages');
  expect(Number(used?.parts)).toBeGreaterThan(10);
  await after.app.stop();
});
