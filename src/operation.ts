import type { z } from 'zod';
import type { Place } from './answers.ts';
import type { Database } from './db/sequelize.ts';
import type { Env } from './env.ts';
import type { SessionReader } from './features/auth/sessionReader.ts';
import type { Tokens } from './features/auth/tokens.ts';
import type { MessageWriter } from './features/messages/messageWriter.ts';
import type { PresenceService } from './features/presence/presenceService.ts';
import type { TypingService } from './features/typing/typingService.ts';
import type { ClientAddress } from './http/clientAddress.ts';
import type { RateLimits } from './http/rateLimits.ts';
import type { Lanes } from './lib/lanes.ts';
import type { Logger } from './lib/logger.ts';
import type { Passwords } from './lib/passwords.ts';
import type { Metrics } from './metrics.ts';
import type { Bus } from './realtime/bus.ts';
import type { Hub } from './realtime/hub.ts';
import type { Publisher } from './realtime/publisher.ts';
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
  publisher: Publisher;
  presence: PresenceService;
  typing: TypingService;
  writer: MessageWriter;
  sessionReader: SessionReader;
  passwords: Passwords;
  tokens: Tokens;
  rateLimits: RateLimits;
  searchTurns: Lanes;
  requestTurns: Lanes;
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

export const DONE = { item: null, data: null };

/**
 * What the WebSocket calls by a wire type. `S` is the schema of its params, `A` that of what it answers: types and descriptions are made
 * from both, and params are checked. Answers are not: their type says that they are right.
 */
export interface Operation<S extends z.ZodType = z.ZodType, A extends z.ZodType<Answer> = z.ZodType<Answer>> {
  params: S;
  answer: A;
  /**
   * It changes, after its first wait, what a later request of the connection may change too: it waits for what the connection sent before, and
   * what comes after waits for it.
   */
  exclusive: boolean;
  /**
   * Checks the params and does it. Up to its first wait it runs at once, so operations begin in the order they are run.
   * @throws {AppError} `invalid_params`, at once; what fails later rejects
   */
  run(context: Context, params: unknown): Promise<z.output<A>>;
  /** Does it with params that were checked. */
  handle(context: Context, params: z.output<S>): Promise<z.output<A>>;
}

interface Definition<S extends z.ZodType, A extends z.ZodType<Answer>> {
  params: S;
  answer: A;
  exclusive?: boolean;
  /** Of one user few such are under way at a time, over the WebSocket and HTTP together; the others wait, and nobody else waits for them. */
  inTurn?: boolean;
  handle(context: Context, params: z.output<S>): Promise<z.output<A>>;
}

/** Binds the schemas of params and answer to what it is for. */
export function operation<S extends z.ZodType, A extends z.ZodType<Answer>>(definition: Definition<S, A>): Operation<S, A> {
  const { params, answer, exclusive = false, inTurn = false } = definition;
  const handleInTurn = (context: Context, input: z.output<S>) =>
    context.services.requestTurns.run(context.userId, () => definition.handle(context, input));
  const handle = inTurn ? handleInTurn : definition.handle;
  return { params, answer, exclusive, handle, run: (context, raw) => handle(context, parse(params, raw)) };
}
