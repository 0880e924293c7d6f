import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort } from '../../src/lib/freePort.ts';
import { eventually } from './eventually.ts';
import { findProgram } from './programs.ts';
import { newDirectory } from './serverProcess.ts';

const program = findProgram('haproxy');

/** Whether there is an HAProxy to test with. In CI a missing one is a failure, elsewhere `npm test` says so at its end. */
export const isHaproxyInstalled = program !== undefined;

/** How long the proxy of the tests lets a connection be quiet, in milliseconds: a test can wait longer than that. */
export const IDLE_TIMEOUT = 4_000;

/** A proxy in front of two servers. */
export interface Haproxy {
  url: string;
  stop(): Promise<void>;
}

/** Runs HAProxy with the file of the project, but for the addresses and IDLE_TIMEOUT, and waits until a server is ready behind it. */
export async function startHaproxy([first, second]: [number, number]): Promise<Haproxy> {
  if (!program) throw new Error('There is no haproxy here: skip the tests that need it');
  const port = await freePort();
  const config = (await readFile('proxy/haproxy.cfg', 'utf8'))
    .replace('bind :3001', `bind 127.0.0.1:${port}`)
    .replace('server:3001', `127.0.0.1:${first}`)
    .replace('server-2:3001', `127.0.0.1:${second}`)
    .replaceAll('75s', `${IDLE_TIMEOUT}ms`);
  const file = path.join(await newDirectory(), 'haproxy.cfg');
  await writeFile(file, config);
  const child = spawn(program, ['-f', file], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    const { status } = await fetch(`${url}/health/ready`);
    if (status !== 200) throw new Error(`the proxy answers ${status}`);
  });
  return {
    url,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
