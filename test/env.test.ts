import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseEnv as parseFile } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { type Env, parseEnv } from '../src/env.ts';
import { newDatabase } from './support/database.ts';
import { call } from './support/http.ts';
import { newDirectory, ServerProcess, startProcess, sweep } from './support/serverProcess.ts';

/** What holds when nothing is set. The compiler sees to it that this names every variable there is. */
const DEFAULTS: { [Name in keyof Required<Env>]: Env[Name] | undefined } = {
  NODE_ENV: 'development',
  PORT: 3001,
  HOST: '0.0.0.0',
  DATABASE_URL: undefined,
  DATA_DIR: path.resolve('.data'),
  JWT_SECRET: undefined,
  JWT_EXPIRES_IN: 24 * 3600,
  BCRYPT_ROUNDS: 10,
  RATE_LIMITS: 'on',
  TRUST_PROXY: 0,
  MAX_CONNECTIONS_PER_USER: 100,
  PING_INTERVAL: 30,
  CORS_ORIGINS: ['*'],
  REDIS_URL: undefined,
  REDIS_CLUSTER: false,
  WORKERS: 1,
  LOG_LEVEL: 'info',
  METRICS_TOKEN: undefined,
  MAX_MESSAGE_LENGTH: 10_000,
  EDIT_WINDOW: 172_800,
  PASSWORD_MIN_LENGTH: 8,
  production: false,
};
const SECRET = 'kX3vQ9wLz7Rt2Yb8Nc5Hm1Jd4Fg6Ps0A';

afterAll(sweep);

describe('The configuration', () => {
  test('has a default for everything', () => {
    expect(parseEnv({})).toEqual(DEFAULTS);
  });

  test('takes an empty variable for one that is not set, and does not mind variables of others', () => {
    const empty = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, '']));
    expect(parseEnv({ ...empty, PATH: '/bin' })).toEqual(DEFAULTS);
  });

  test.each([
    ['PORT', '0', 0],
    ['PORT', '65535', 65_535],
    ['HOST', '::1', '::1'],
    ['DATABASE_URL', 'postgresql://a:b@db:5432/chat?sslmode=require', 'postgresql://a:b@db:5432/chat?sslmode=require'],
    ['DATA_DIR', 'here', path.resolve('here')],
    ['JWT_SECRET', SECRET, SECRET],
    ['JWT_EXPIRES_IN', '30s', 30],
    ['JWT_EXPIRES_IN', '15m', 900],
    ['JWT_EXPIRES_IN', '7d', 604_800],
    ['BCRYPT_ROUNDS', '4', 4],
    ['RATE_LIMITS', 'off', 'off'],
    ['TRUST_PROXY', '2', 2],
    ['TRUST_PROXY', '10.0.0.0/8, fd00::1, loopback', ['10.0.0.0/8', 'fd00::1', 'loopback']],
    ['MAX_CONNECTIONS_PER_USER', '1', 1],
    ['PING_INTERVAL', '1m', 60],
    ['CORS_ORIGINS', 'https://a.example, http://localhost:5173', ['https://a.example', 'http://localhost:5173']],
    ['REDIS_URL', 'rediss://:secret@redis:6380', 'rediss://:secret@redis:6380'],
    ['REDIS_CLUSTER', 'false', false],
    ['WORKERS', '1', 1],
    ['LOG_LEVEL', 'silent', 'silent'],
    ['METRICS_TOKEN', 'sixteen-letters!', 'sixteen-letters!'],
    ['MAX_MESSAGE_LENGTH', '5', 5],
    ['EDIT_WINDOW', '15m', 900],
    ['PASSWORD_MIN_LENGTH', '12', 12],
  ])('reads %s=%s', (name, text, value) => {
    expect(parseEnv({ [name]: text })).toEqual({ ...DEFAULTS, [name]: value });
  });

  test.each([
    ['PORT', 'http', 'a whole number from 0 to 65535'],
    ['PORT', '65536', 'a whole number from 0 to 65535'],
    ['PORT', '-1', 'a whole number from 0 to 65535'],
    ['PORT', '3001.5', 'a whole number from 0 to 65535'],
    ['DATABASE_URL', 'mysql://localhost/chat', 'postgres://'],
    ['DATABASE_URL', 'localhost:5432', 'postgres://'],
    ['JWT_SECRET', 'x'.repeat(31), '32 bytes'],
    ['JWT_EXPIRES_IN', '24', 'a unit'],
    ['JWT_EXPIRES_IN', '0h', 'a unit'],
    ['JWT_EXPIRES_IN', 'never', 'a unit'],
    ['BCRYPT_ROUNDS', '3', 'a whole number from 4 to'],
    ['BCRYPT_ROUNDS', '31', 'a whole number from 4 to'],
    ['RATE_LIMITS', 'no', 'on or off'],
    ['TRUST_PROXY', 'true', 'the number of proxies'],
    ['TRUST_PROXY', '10.0.0.0/8,', 'the number of proxies'],
    ['TRUST_PROXY', '0.0.0.0/0', 'the number of proxies'],
    ['MAX_CONNECTIONS_PER_USER', '0', 'a whole number from 1'],
    ['PING_INTERVAL', '30', 'a unit'],
    ['PING_INTERVAL', '2h', 'at most 1h'],
    ['CORS_ORIGINS', 'chat.example.com', 'origins'],
    ['CORS_ORIGINS', 'https://chat.example.com/', 'origins'],
    ['REDIS_URL', 'http://localhost', 'redis://'],
    ['REDIS_CLUSTER', 'yes', 'true or false'],
    ['REDIS_CLUSTER', 'true', 'needs REDIS_URL'],
    ['WORKERS', '0', 'auto or a whole number from 1'],
    ['WORKERS', 'all', 'auto or a whole number from 1'],
    ['WORKERS', '2', 'needs REDIS_URL'],
    ['LOG_LEVEL', 'loud', 'info'],
    ['METRICS_TOKEN', 'fifteen-letters', 'at least 16 characters'],
    ['METRICS_TOKEN', 'no white space in it', 'white space'],
    ['MAX_MESSAGE_LENGTH', '0', 'a whole number from 1'],
    ['PASSWORD_MIN_LENGTH', '73', 'a whole number from 1 to 72'],
  ])('refuses %s=%s, names it and says in a line what it wants', (name, text, wanted) => {
    expect(() => parseEnv({ [name]: text })).toThrow(new RegExp(`^${name} .*${wanted}.*$`));
  });

  test('takes as many processes as are named, or as there are processors, once there is a Redis between them', () => {
    const REDIS_URL = 'redis://localhost:6379';
    expect(parseEnv({ WORKERS: '4', REDIS_URL }).WORKERS).toBe(4);
    expect(parseEnv({ WORKERS: 'auto', REDIS_URL }).WORKERS).toBe(availableParallelism());
    expect(parseEnv({ REDIS_CLUSTER: 'true', REDIS_URL }).REDIS_CLUSTER).toBe(true);
  });

  test('in production wants a secret, and allows no browser origin until one is named', () => {
    expect(() => parseEnv({ NODE_ENV: 'production' })).toThrow(/^JWT_SECRET is required in production/);
    expect(parseEnv({ NODE_ENV: 'production', JWT_SECRET: SECRET })).toMatchObject({ production: true, CORS_ORIGINS: [] });
  });

  test.each([
    ['known', 'change-me-change-me-change-me-change-me', 'known default'],
    ['known', 'CHANGE_ME_IN_PRODUCTION_PLEASE_CHANGE_ME', 'known default'],
    ['known', 'your-256-bit-secret-your-256-bit-secret', 'known default'],
    ['known', 'secretsecretsecretsecretsecretsecret', 'known default'],
    ['short', SECRET.slice(1), '32 bytes'],
  ])('in production refuses a %s secret: %s', (_what, JWT_SECRET, reason) => {
    expect(() => parseEnv({ NODE_ENV: 'production', JWT_SECRET })).toThrow(new RegExp(`^JWT_SECRET .*${reason}`));
  });

  test('is shown whole in .env.example, which changes nothing when it is copied as it is', async () => {
    const example = parseFile(await readFile('.env.example', 'utf8'));
    const names = Object.keys(DEFAULTS).filter((name) => name !== 'production');
    expect(new Set(Object.keys(example))).toEqual(new Set(names));
    expect(parseEnv(example)).toEqual(DEFAULTS);
  });
});

describe('The server', () => {
  test('ends with 1 before it does anything when variables are wrong, and names each with what it wants', async () => {
    const dataDir = await newDirectory();
    const server = new ServerProcess(dataDir, { PORT: 'http', RATE_LIMITS: 'perhaps', LOG_LEVEL: '' });
    expect(await server.exit()).toBe(1);
    expect(server.stdout).toBe('');
    expect(server.stderr).toBe('PORT must be a whole number from 0 to 65535\nRATE_LIMITS must be on or off\n');
    expect(existsSync(path.join(dataDir, 'postgres'))).toBe(false);
  });

  test('ends with 1 and names HOST when there is no such address', async () => {
    const server = new ServerProcess(await newDirectory(), { HOST: 'nope.invalid', DATABASE_URL: await newDatabase({ migrated: false }) });
    expect(await server.exit()).toBe(1);
    expect(server.stdout).not.toContain('listening');
    expect(server.stderr).toMatch(/^The server cannot listen on HOST=nope\.invalid and PORT=0\. .*\n\(.*nope\.invalid\)\n$/);
  });

  test.each([
    ['is a file', 'file'],
    ['is to lie in a file', 'file/data'],
    ['cannot be made', '/proc/nope'],
    ['cannot be written to', '/proc'],
  ])('ends with 1 and names DATA_DIR when that %s, for the database as for the secret', async (_what, place) => {
    const directory = await newDirectory();
    await writeFile(path.join(directory, 'file'), '');
    const DATA_DIR = path.resolve(directory, place);
    for (const DATABASE_URL of ['', await newDatabase({ migrated: false })]) {
      const server = new ServerProcess(directory, { DATA_DIR, DATABASE_URL });
      expect(await server.exit()).toBe(1);
      expect(server.stderr).toMatch(new RegExp(`^DATA_DIR=${DATA_DIR} cannot be used\\. .*\\n\\(.*\\)\\n$`));
    }
  });

  test('in production prints lines of its log alone, and where it listens is one of them', async () => {
    const variables = { NODE_ENV: 'production', JWT_SECRET: SECRET, DATABASE_URL: await newDatabase({ migrated: false }) };
    const server = await startProcess(await newDirectory(), variables);
    const lines = server.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 30, msg: server.url.replace('http://127.0.0.1', 'listening on http://localhost') }),
    );
  });

  test('ends with 1 in production without a secret', async () => {
    const dataDir = await newDirectory();
    const server = new ServerProcess(dataDir, { NODE_ENV: 'production' });
    expect(await server.exit()).toBe(1);
    expect(server.stderr).toMatch(/^JWT_SECRET is required in production.*\n$/);
    expect(existsSync(path.join(dataDir, 'jwt.secret'))).toBe(false);
  });

  test('ends with 1 when the secret that it kept is cut short, and signs nothing with what is left', async () => {
    const dataDir = await newDirectory();
    const file = path.join(dataDir, 'jwt.secret');
    await writeFile(file, '');
    const server = new ServerProcess(dataDir, { DATABASE_URL: await newDatabase({ migrated: false }), JWT_SECRET: '' });
    expect(await server.exit()).toBe(1);
    expect(server.stderr).toBe(`${file} is cut short. Remove it: the next start makes another one, and everybody logs in again.\n`);
  });

  test('ends with 1 and says so when the database of DATABASE_URL cannot be reached', async () => {
    const server = new ServerProcess(await newDirectory(), { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' });
    expect(await server.exit()).toBe(1);
    expect(server.stdout).toBe('');
    expect(server.stderr).toMatch(/^The database of DATABASE_URL cannot be used: .*127\.0\.0\.1:1\n$/);
    expect(server.stderr).not.toContain('secret');
  });

  test('reads .env in the working directory for what its environment leaves open', async () => {
    const directory = await newDirectory();
    const databaseUrl = await newDatabase({ migrated: false });
    await writeFile(
      path.join(directory, '.env'),
      `DATABASE_URL=${databaseUrl}\nPASSWORD_MIN_LENGTH=20\nPORT=http\nRATE_LIMITS="off" # quiet\n`,
    );
    const server = await startProcess(directory, { PASSWORD_MIN_LENGTH: '4' });
    expect(server.stdout).not.toContain(directory);
    const body = { firstName: 'Ann', email: 'ann@example.com', password: 'four' };
    expect((await call(server, 'POST', '/auth/register', { body })).status).toBe(201);
    const tries = Array.from({ length: 40 }, () =>
      call(server, 'POST', '/auth/login', { body: { email: 'nobody@example.com', password: 'x' } }),
    );
    for (const { status } of await Promise.all(tries)) expect(status).toBe(400);
    expect(existsSync(path.join(directory, 'postgres'))).toBe(false);
  });
});
