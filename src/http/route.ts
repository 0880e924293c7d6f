import type { z } from 'zod';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Answer, Context, Operation, Services } from '../operation.ts';
import { parse } from '../schemas.ts';
import type { LimitName } from './rateLimits.ts';

/** How a REST path is reached, and what it takes and gives. */
interface Description<S extends z.ZodObject = z.ZodObject> {
  method: 'get' | 'post' | 'patch' | 'delete';
  /** Below `/api`, as Express writes it. */
  path: string;
  /** Other paths for the same. */
  aliases?: string[];
  /** The path that this one is the same as, where the methods differ: what does not is an alias. */
  sameAs?: string;
  summary: string;
  /** Counted for each account, or for each address where there is none yet. A path for users has `request` if nothing else. */
  limit?: LimitName;
  /** What the path, and the body or (of a GET or a DELETE) the query, hold together. */
  params: S;
  /** Status and body of success. */
  status: 200 | 201;
  answer: z.ZodObject;
  /** Errors beside those that every path may answer. */
  errors: ErrorCode[];
}

/** One REST path: all that it takes to serve and to describe it. */
export interface Route extends Description {
  /** Whether it takes no token. */
  public: boolean;
  run(services: Services, context: Context | undefined, params: unknown): Promise<object>;
}

/** A path for users: `handle` gets whoever the token names. */
export function route<S extends z.ZodObject>(
  definition: Description<S> & { handle(context: Context, params: z.output<S>): Promise<object> },
): Route {
  const { handle, ...description } = definition;
  return {
    limit: 'request',
    ...description,
    public: false,
    async run(_services, context, params) {
      if (!context) throw new AppError('unauthorized');
      return handle(context, parse(definition.params, params));
    },
  };
}

/**
 * A path for what the WebSocket does too. The path's own schema checks what it takes, so that errors name its fields;
 * `toParams` makes the operation's params of that, `toBody` the body of success of what the operation answers.
 */
export function operationRoute<S extends z.ZodObject, P extends z.ZodType, A extends z.ZodType<Answer>>(
  definition: Description<S> & {
    operation: Operation<P, A>;
    toParams(params: z.output<S>): z.output<P>;
    toBody(answer: z.output<A>): object;
  },
): Route {
  const { operation, toParams, toBody, ...description } = definition;
  return route({
    ...description,
    handle: async (context, params) => toBody(await operation.handle(context, toParams(params))),
  });
}

/** A path for everybody. */
export function publicRoute<S extends z.ZodObject>(
  definition: Description<S> & { handle(services: Services, params: z.output<S>): Promise<object> },
): Route {
  const { handle, ...description } = definition;
  return { ...description, public: true, run: async (services, _context, params) => handle(services, parse(definition.params, params)) };
}
