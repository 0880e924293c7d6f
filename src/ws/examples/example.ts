import type { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { BroadcastItem, BroadcastType } from '../broadcasts.ts';
import type { operations } from '../registry.ts';

type Operations = ReturnType<typeof operations>;

/** What is told of a request beside its schemas. */
interface RequestExample<Type extends keyof Operations = keyof Operations> {
  /** What it does. */
  summary: string;
  /** How it can fail, beside the ways in which every request can. */
  errors: ErrorCode[];
  params: z.input<Operations[Type]['params']>;
  /** What the operation answers to that. */
  answer: z.output<Operations[Type]['answer']>;
}

/** What is told of a broadcast beside its schema. */
interface BroadcastExample<Type extends BroadcastType = BroadcastType> {
  /** What it tells, and whom. */
  summary: string;
  item: BroadcastItem<Type>;
  /** The item for the other connections of who did it, where they are told something else: those that asked for `ownMessages`. */
  own?: BroadcastItem<Type>;
}

export type RequestExamples = { [Type in keyof Operations]?: RequestExample<Type> };
export type BroadcastExamples = { [Type in BroadcastType]?: BroadcastExample<Type> };
