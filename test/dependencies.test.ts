import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

/** The first versions without a known hole that matters here. A later advisory adds a line. */
const FIXED = new Map([
  ['ws', '8.23.0'],
  ['jsonwebtoken', '9.0.3'],
  ['sequelize', '6.37.8'],
  ['express', '5.3.0'],
  ['path-to-regexp', '8.4.0'],
  ['express-rate-limit', '8.2.2'],
  ['pg', '8.23.1'],
]);

const entry = z.looseObject({ version: z.string(), name: z.string().optional(), integrity: z.string().optional() });
const lockFile = z.looseObject({ packages: z.record(z.string(), entry) });
type Packages = z.output<typeof lockFile>['packages'];

const lock = lockFile.parse(JSON.parse(await readFile('package-lock.json', 'utf8')));
const manifest = z
  .looseObject({ dependencies: z.record(z.string(), z.string()), devDependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(await readFile('package.json', 'utf8')));

/** Whether a version comes before another. What is not released yet counts as before. */
const isBelow = (version: string, other: string) => version.includes('-') || version.localeCompare(other, 'en', { numeric: true }) < 0;

/** Every copy of a package, wherever in the tree, whatever it is installed as. */
const copiesOf = (packages: Packages, wanted: string) =>
  Object.entries(packages).filter(([path, { name }]) => (name ?? path.split('node_modules/').at(-1)) === wanted && path !== '');

/** The copies that are too old, as `path version`. */
const tooOld = (packages: Packages): string[] =>
  [...FIXED].flatMap(([name, fixed]) =>
    copiesOf(packages, name).flatMap(([path, { version }]) => (isBelow(version, fixed) ? [`${path} ${version}`] : [])),
  );

describe('the packages that are installed', () => {
  test('hold no copy of one that is older than its first fixed version', () => {
    expect(tooOld(lock.packages)).toEqual([]);
  });

  test.each([
    ['node_modules/ws', { version: '8.22.9' }],
    ['node_modules/ws', { version: '7.99.99' }],
    ['node_modules/ws', { version: '8.23.0-beta.1' }],
    ['node_modules/some/node_modules/@other/thing/node_modules/ws', { version: '8.5.0' }],
    ['node_modules/path-to-regexp', { version: '8.3.10' }],
    ['node_modules/alias', { name: 'ws', version: '8.22.0' }],
  ])('would show a copy that is %s %o', (path, copy) => {
    expect(tooOld({ ...lock.packages, [path]: copy })).toEqual([`${path} ${copy.version}`]);
  });

  test.each(['8.23.0', '8.23.1', '8.24.0', '8.100.0', '9.0.0'])('would not mind ws %s', (version) => {
    expect(tooOld({ 'node_modules/ws': { version } })).toEqual([]);
  });

  test('are fixed ones also where nobody has the lock file, and the list is of packages that are there', () => {
    for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      const lowest = /^[~^]?(\d+\.\d+\.\d+.*)$/.exec(range)?.[1];
      expect({ name, lowest }).toEqual({ name, lowest: expect.any(String) });
      expect({ name, old: isBelow(lowest ?? '', FIXED.get(name) ?? '0') && FIXED.has(name) }).toEqual({ name, old: false });
    }
    const missing = [...FIXED.keys()].filter((name) => copiesOf(lock.packages, name).length === 0);
    expect(missing).toEqual(['express-rate-limit']);
  });

  test('are pinned by what is in them, not by where they came from', () => {
    for (const [path, { integrity, resolved }] of Object.entries(lock.packages)) {
      if (path !== '')
        expect({ path, integrity, resolved }).toEqual({ path, integrity: expect.stringMatching(/^sha512-/), resolved: undefined });
    }
  });
});
