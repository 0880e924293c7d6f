import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { compile } from 'proxy-addr';
import { z } from 'zod';
import { OperatorError } from './errors.ts';

/** Secrets that stand in documentation somewhere: whoever reads it could sign tokens. */
const KNOWN_SECRETS = /^(change[-_ ]?me|replace[-_ ]?me|secret|jwt[-_ ]?secret|your[-_ ]|example|default|password)/i;
/** Bytes of a frame or a body beside the longest message. */
const REQUEST_OVERHEAD = 64 * 1024;
/** What a character takes at most: a surrogate pair, both halves escaped. */
const BYTES_PER_CHARACTER = 12;

const SECONDS_PER_UNIT = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);

/** Seconds once parsed. */
const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smhd]$/, 'must be a number with a unit: 30s, 15m, 24h or 7d')
  .transform((text) => Number(text.slice(0, -1)) * (SECONDS_PER_UNIT.get(text.slice(-1)) ?? 1));

/** A number of proxies, or their addresses and subnets. */
const proxies = z.string().transform((text, context): number | string[] => {
  if (/^\d+$/.test(text)) return Number(text);
  const list = text.split(',').map((address) => address.trim());
  try {
    compile(list);
  } catch {
    context.addIssue('must be the number of proxies in front of the server, or a comma-separated list of addresses and subnets');
  }
  return list;
});

const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;

/** Every variable that the server reads, with its default. An empty variable counts as absent. */
const schema = z
  .object({
    /** In production JWT_SECRET is required, no foreign origin may call by default, and demo data needs to be forced. */
    NODE_ENV: z.enum(['development', 'test', 'production'], 'must be development, test or production').default('development'),
    /** TCP port; 0 lets the system choose one. */
    PORT: wholeNumber(0, 65_535).default(3001),
    /** Address to listen on. */
    HOST: z.string().default('0.0.0.0'),
    /** A PostgreSQL 15+ server; without it an embedded one is started under DATA_DIR. */
    DATABASE_URL: z
      .string()
      .regex(/^postgres(ql)?:\/\/\S+$/, 'must look like postgres://user:password@host:5432/database')
      .optional(),
    /** Where the embedded database and the generated development secret lie. */
    DATA_DIR: z.string().default('.data'),
    /** Signs access tokens. Generated and kept in DATA_DIR outside production. */
    JWT_SECRET: z
      .string()
      .refine((secret) => Buffer.byteLength(secret) >= 32, 'must be at least 32 bytes long')
      .optional(),
    /** Life of an access token, in seconds once parsed. */
    JWT_EXPIRES_IN: duration.default(86_400),
    /** Cost of a password hash; 4 is for tests and load runs. */
    BCRYPT_ROUNDS: wholeNumber(4, 15).default(10),
    /** `off` is for load runs. */
    RATE_LIMITS: z.enum(['on', 'off'], 'must be on or off').default('on'),
    /** Whose word in `X-Forwarded-For` is taken for the address of a client. Default: nobody's, and the address is that of the peer. */
    TRUST_PROXY: proxies.default(0),
    /** Connections that a user may have open, or opening, at once. */
    MAX_CONNECTIONS_PER_USER: wholeNumber(1, 1_000_000).default(100),
    /** How often WebSocket clients are asked for a sign of life, in seconds once parsed; whoever gives none until the next time is gone. */
    PING_INTERVAL: duration.refine((seconds) => seconds <= 3600, 'must be at most 1h').default(30),
    /** Browser origins that may call, comma-separated, or `*`; this server's own by name too. Default: any in development, none in production. */
    CORS_ORIGINS: z
      .string()
      .transform((text) => text.split(',').map((origin) => origin.trim()))
      .refine(
        (origins) => origins.every((origin) => origin === '*' || isOrigin(origin)),
        'must be * or a comma-separated list of origins such as https://chat.example.com (no path, no slash at the end)',
      )
      .optional(),
    /** The Redis that connects several servers on one database; without it there is one. */
    REDIS_URL: z
      .string()
      .regex(/^rediss?:\/\/\S+$/, 'must look like redis://user:password@host:6379')
      .refine(URL.canParse, 'must look like redis://user:password@host:6379')
      .optional(),
    /** `true` when REDIS_URL is one of the servers of a Redis Cluster. */
    REDIS_CLUSTER: z
      .enum(['true', 'false'], 'must be true or false')
      .transform((text) => text === 'true')
      .default(false),
    /** Processes that serve the port together; `auto` is one for each processor. */
    WORKERS: z
      .string()
      .regex(/^(auto|[1-9]\d{0,2})$/, 'must be auto or a whole number from 1 to 999')
      .transform((text) => (text === 'auto' ? availableParallelism() : Number(text)))
      .default(1),
    LOG_LEVEL: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
        error: 'must be one of fatal, error, warn, info, debug, trace, silent',
      })
      .default('info'),
    /** Whoever shows it as a bearer token may read /metrics; without it there is no such page. */
    METRICS_TOKEN: z
      .string()
      .regex(/^[!-~]{16,}$/, 'must be at least 16 characters: letters, digits and signs, without white space')
      .optional(),
    /** Longest message, in characters. */
    MAX_MESSAGE_LENGTH: wholeNumber(1, 1_000_000).default(10_000),
    /** How long after it was sent a message may be edited, in seconds once parsed. */
    EDIT_WINDOW: duration.default(172_800),
    /** Shortest password, in characters. */
    PASSWORD_MIN_LENGTH: wholeNumber(1, 72).default(8),
  })
  .superRefine(({ WORKERS, REDIS_URL }, context) => {
    // Where it is refused it is the text still.
    if (!Number.isInteger(WORKERS) || WORKERS === 1 || REDIS_URL) return;
    const message = `needs REDIS_URL, because it asks for ${WORKERS} processes, which hear of each other's messages through Redis`;
    context.addIssue({ code: 'custom', path: ['WORKERS'], message });
  })
  .refine(({ REDIS_CLUSTER, REDIS_URL }) => REDIS_CLUSTER !== true || REDIS_URL, {
    path: ['REDIS_CLUSTER'],
    error: 'needs REDIS_URL, one of the servers of the cluster',
  })
  .superRefine((env, context) => {
    if (env.NODE_ENV !== 'production') return;
    const complain = (message: string) => context.addIssue({ code: 'custom', path: ['JWT_SECRET'], message });
    if (!env.JWT_SECRET) complain('is required in production: at least 32 random bytes, for example `openssl rand -hex 32`');
    else if (KNOWN_SECRETS.test(env.JWT_SECRET)) complain('is a known default: use random bytes, for example `openssl rand -hex 32`');
  })
  .transform((env) =>
    Object.freeze({
      ...env,
      production: env.NODE_ENV === 'production',
      DATA_DIR: path.resolve(env.DATA_DIR),
      CORS_ORIGINS: env.CORS_ORIGINS ?? (env.NODE_ENV === 'production' ? [] : ['*']),
    }),
  );

/** The server's configuration: parsed, typed, frozen. */
export type Env = z.output<typeof schema>;

/** Bytes of the largest frame or body that is taken. */
export function maxRequestBytes({ MAX_MESSAGE_LENGTH }: Env): number {
  return REQUEST_OVERHEAD + MAX_MESSAGE_LENGTH * BYTES_PER_CHARACTER;
}

/** Thrown for wrong configuration. The message names each variable and what it wants, one a line. */
class ConfigurationError extends OperatorError {}

/**
 * Parses variables as given (the process's own by default).
 * @throws {ConfigurationError} when any is wrong
 */
export function parseEnv(variables: NodeJS.ProcessEnv): Env {
  const present = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  throw new ConfigurationError(result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('\n'));
}

/**
 * Reads the process's environment, and a `.env` file in the working directory for what is not set there.
 * @throws {ConfigurationError} when a variable is wrong
 */
export function readEnv(): Env {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return parseEnv(process.env);
}
