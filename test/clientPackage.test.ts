import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { block } from './support/markdown.ts';

const exec = promisify(execFile);
/** What `npm test` has built. */
const BUILT = path.resolve('dist/client');
const TSC = path.resolve('node_modules/typescript/bin/tsc');
const example = block(await readFile('README.md', 'utf8'), 'ts');
const failed = z.object({ stdout: z.string() });

describe('The built client', () => {
  let project: string;

  beforeAll(async () => {
    project = await mkdtemp(path.join(tmpdir(), 'messenger-consumer-'));
    await mkdir(path.join(project, 'node_modules'));
    await symlink(path.resolve('.'), path.join(project, 'node_modules/messenger-backend'));
    await writeFile(path.join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  });
  afterAll(() => rm(project, { recursive: true, force: true }));

  /** What the compiler says of a file of somebody who uses the package, in a browser. */
  async function compile(source: string, ...more: string[]): Promise<string> {
    await writeFile(path.join(project, 'page.ts'), source);
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '', ...more];
    return exec(process.execPath, [TSC, ...options, 'page.ts'], { cwd: project }).then(
      ({ stdout }) => stdout,
      (error) => failed.parse(error).stdout,
    );
  }

  test('has no dependencies: its modules import one another and nothing else', async () => {
    const modules = (await readdir(BUILT)).filter((file) => file.endsWith('.js'));
    expect(modules).toContain('index.js');
    for (const file of modules) {
      const imports = [...(await readFile(path.join(BUILT, file), 'utf8')).matchAll(/(?:from|import)\s*\(?['"]([^'"]+)['"]/g)];
      for (const [, imported = ''] of imports) expect(modules.map((name) => `./${name}`)).toContain(imported);
    }
  });

  test.each(['nodenext', 'bundler'])(
    'type-checks where it is used as the README says, with the module resolution "%s"',
    async (resolution) => {
      const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
      const options = ['--module', module, '--moduleResolution', resolution];
      expect(await compile(example, ...options)).toBe('');
      expect(await compile(example.replace('limit: 20', "limit: '20'"), ...options)).toContain('error TS2322');
      expect(await compile(example.replace('{ receiverName,', '{ unknownName,'), ...options)).toContain('error TS2339');
    },
  );
});
