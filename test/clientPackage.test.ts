import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { block } from './support/markdown.ts';

const exec = promisify(execFile);
/** What `npm test` has built, with the manifest of the client's package. */
const BUILT = path.resolve('dist');
const TSC = path.resolve('node_modules/typescript/bin/tsc');
const example = block(await readFile('README.md', 'utf8'), 'ts');
const failed = z.object({ stdout: z.string() });
const packs = z.array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }));
const manifest = z.object({ dependencies: z.record(z.string(), z.string()) });
const dependenciesOf = async (directory: string) =>
  manifest.parse(JSON.parse(await readFile(path.join(directory, 'package.json'), 'utf8'))).dependencies;

describe('The package of the client', () => {
  let project: string;
  let installed: string;
  let files: string[];

  beforeAll(async () => {
    project = await mkdtemp(path.join(tmpdir(), 'messenger-consumer-'));
    installed = path.join(project, 'node_modules/messenger-client');
    await mkdir(installed, { recursive: true });
    const { stdout } = await exec('npm', ['pack', BUILT, '--json', '--pack-destination', project]);
    const [pack] = packs.parse(JSON.parse(stdout));
    files = pack?.files.map((file) => file.path) ?? [];
    await exec('tar', ['-xzf', path.join(project, pack?.filename ?? ''), '-C', installed, '--strip-components=1']);
    for (const name of Object.keys(await dependenciesOf(installed))) {
      await symlink(path.resolve('node_modules', name), path.join(project, 'node_modules', name));
    }
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

  test('has modules of the client alone, which import one another and nothing else', async () => {
    const modules = files.filter((file) => file.endsWith('.js')).map((file) => path.relative('client', file));
    expect(modules).toContain('index.js');
    for (const file of modules) {
      const imports = [
        ...(await readFile(path.join(installed, 'client', file), 'utf8')).matchAll(/(?:from|import)\s*\(?['"]([^'"]+)['"]/g),
      ];
      for (const [, imported = ''] of imports) expect(modules.map((name) => `./${name}`)).toContain(imported);
    }
  });

  test('runs where it is installed', async () => {
    const source = "import { RequestError } from 'messenger-client'; console.log(String(new RequestError('busy', 'Wait')));";
    const { stdout } = await exec(process.execPath, ['--input-type=module', '-e', source], { cwd: project });
    expect(stdout).toBe('RequestError: Wait\n');
  });

  test('has types that are made with the versions that the server uses', async () => {
    const [own, ofServer] = [await dependenciesOf(installed), await dependenciesOf('.')];
    expect(ofServer).toMatchObject(own);
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
