import { existsSync } from 'node:fs';
import path from 'node:path';

const onPath = (name: string) =>
  [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'].map((directory) => path.join(directory, name));

/** Where Debian puts the programs of PostgreSQL 15, the oldest version that is supported. */
export const POSTGRES_15_PROGRAMS = '/usr/lib/postgresql/15/bin';

/** Programs that some tests need: where they may be, and the package of Debian that brings them. */
const PROGRAMS = {
  chromium: {
    places: [process.env.CHROMIUM ?? '', ...onPath('chromium'), ...onPath('chromium-browser'), ...onPath('google-chrome')],
    package: 'chromium',
  },
  postgres15: { places: [path.join(POSTGRES_15_PROGRAMS, 'postgres')], package: 'postgresql-15' },
  haproxy: { places: onPath('haproxy'), package: 'haproxy' },
  redis: { places: onPath('redis-server'), package: 'redis-server' },
};

type Program = keyof typeof PROGRAMS;

/**
 * Where a program is; undefined when it is missing: then the tests that need it are to be skipped.
 * @throws when it is missing in CI
 */
export function findProgram(name: Program): string | undefined {
  const { places, package: wanted } = PROGRAMS[name];
  const place = places.find((place) => place !== '' && existsSync(place));
  if (!place && process.env.CI) throw new Error(`CI needs ${name}: apt-get install ${wanted}`);
  return place;
}

/** What is left out on this machine and how to change that, in one line; undefined when it has every program. */
export function leftOut(): string | undefined {
  const missing = Object.values(PROGRAMS)
    .filter(({ places }) => !places.some((place) => place !== '' && existsSync(place)))
    .map((program) => program.package);
  if (missing.length === 0) return undefined;
  return `Left out: the tests that need ${missing.join(', ')}. To run them: apt-get install ${missing.join(' ')}`;
}
