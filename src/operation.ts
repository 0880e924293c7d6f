import type { z } from 'zod';
import type { Database } from './db/sequelize.ts';
import type { Env } from './env.ts';
import type { SessionReader } from './features/auth/sessionReader.ts';
import type { Tokens } from './features/auth/tokens.ts';
import type { MessageWriter } from './features/messages/messageWriter.ts';
import type { Place } from './features/messages/presenter.ts';
import type { PresenceService } from './features/presence/presenceService.ts';
import type { ClientAddress } from './http/clientAddress.ts';
import type { RateLimits } from './http/rateLimits.ts';
import type { Logger } from './lib/logger.ts';
import type { Passwords } from './lib/passwords.ts';
import type { Metrics } from './metrics.ts';
import type { Bus } from './realtime/bus.ts';
import type { Hub } from './realtime/hub.ts';
import type { Subscriber } from './realtime/subscriber.ts';
import { parse } from './schemas.ts';

/** What operations work with; made once by the composition root. */
export interface Services {
  env: Env;
  logger: Logger;
  metrics: Metrics;
  database: Database;
  bus: Bus;
  hub: Hub;
  presence: PresenceService;
  writer: MessageWriter;
  sessionReader: SessionReader;
  passwords: Passwords;
  tokens: Tokens;
  rateLimits: RateLimits;
  clientAddress: ClientAddress;
  /** Aborted when the server begins to stop. */
  stopping: AbortSignal;
}

/** On whose behalf an operation runs. */
export interface Context {
  readonly userId: string;
  readonly sessionId: string;
  /** Where the request came from; undefined over HTTP. */
  readonly connection: Subscriber | undefined;
  readonly services: Services;
}

/** What an operation answers: one thing, or a page of rows, or neither. */
export interface Answer {
  item: object | null;
  data: object[] | null;
  /** Of a send: where the message stands. */
  place?: Place;
}

export const DONE: Answer = { item: null, data: null };

/** What the WebSocket calls by a wire type. `S` is the schema of its params, `A` what it answers: clients take their types from both. */
export interface Operation<S extends z.ZodType = z.ZodType, A extends Answer = Answer> {
  params: S;
  /** It changes who is in a group: it waits for what the connection sent before, and what comes after waits for it. */
  exclusive: boolean;
  /** Checks the params and does it. Up to its first wait it runs at once, so operations begin in the order they are run. */
  run(context: Context, params: unknown): Promise<A>;
}

interface Definition<S extends z.ZodType, A extends Answer> {
  params: S;
  exclusive?: boolean;
  handle(context: Context, params: z.output<S>): Promise<A>;
}

/** Binds a params schema to what it is for. */
export function operation<S extends z.ZodType, A extends Answer>({ params, exclusive = false, handle }: Definition<S, A>): Operation<S, A> {
  return { params, exclusive, run: async (context, raw) => handle(context, parse(params, raw)) };
}
