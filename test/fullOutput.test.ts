import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { freePort } from '../src/lib/freePort.ts';
import { newDatabase } from './support/database.ts';
import { eventually } from './support/eventually.ts';
import { newPerson, write } from './support/people.ts';
import { MAIN } from './support/serverProcess.ts';

test.runIf(process.platform === 'linux')('A server whose output cannot be written serves, and stops in order', async () => {
  const full = await open('/dev/full', 'w');
  const [DATABASE_URL, port] = [await newDatabase(), await freePort()];
  const env = { DATABASE_URL, PORT: `${port}`, HOST: '127.0.0.1', LOG_LEVEL: 'trace', BCRYPT_ROUNDS: '4', JWT_SECRET: 's'.repeat(32) };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', full.fd, 'ignore'] });
  const exit = once(child, 'exit');
  const server = { url: `http://127.0.0.1:${port}` };
  await eventually(async () => expect((await fetch(`${server.url}/health/ready`)).status).toBe(200));
  const [ann, bob] = [await newPerson(server), await newPerson(server)];
  await write(ann, bob, 'Hello');
  expect(await bob.socket.broadcast('privateMessage')).toMatchObject({ message: 'Hello' });
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  await full.close();
});
