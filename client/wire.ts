import type { z } from 'zod';
import type { Place } from '../src/answers.ts';
import type { ErrorCode, Issue } from '../src/errors.ts';
import type { BroadcastItem, BroadcastType } from '../src/ws/broadcasts.ts';
import type { operations } from '../src/ws/registry.ts';

/** What JSON makes of a value. */
type Json<T> = T extends Date ? string : T extends readonly (infer E)[] ? Json<E>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;

type Operations = ReturnType<typeof operations>;
type Answer<Type extends RequestType> = Awaited<ReturnType<Operations[Type]['run']>>;

/** Every request type that the server knows. */
export type RequestType = keyof Operations;

/** The params of a request, as its schema on the server takes them. */
export type Params<Type extends RequestType> = z.input<Operations[Type]['params']>;

/** The params of an answer: `item` and `data` as the server's operation gives them, and of a send the place of the message. */
export type AnswerParams<Type extends RequestType> = {
  item: Json<Answer<Type>['item']>;
  data: Json<Answer<Type>['data']>;
} & (Answer<Type> extends { place: Place } ? Place : unknown);

/** What the user missed, in answer to one question. */
export type MissedAnswer = AnswerParams<'getMissed'>;

/** A frame that answers a request. */
export type AnswerFrame =
  | { success: true; requestId?: string; type: string; params: { isBroadcast: false } }
  | { error: true; requestId?: string; type: string; message: string; code: ErrorCode; issues?: Issue[]; retryAfter?: number };

type Item<Type extends BroadcastType> = Json<BroadcastItem<Type>>;
type Frames<Type extends BroadcastType> = { [One in Type]: { type: One; params: { item: Item<One> } } }[Type];

/** The item of a broadcast that carries a message: of somebody else, or of this user's own from another connection. */
export type MessageItem = Item<'privateMessage' | 'messageInGroup'>;

/** A kind of reaction to a message, and whether the user is among those who gave it. */
export type Reaction = AnswerParams<'getMissed'>['data'][number]['reactions'][number];

/** Whether somebody is connected, and if not, when they last were. */
export type UserStatus = Item<'userStatus'>;

/** Events that count at the moment alone: one that is lost is not told later. */
export type Notice = 'userStatus' | 'messageRead' | 'userTyping' | 'groupUpdated' | 'memberRemoved' | 'roleChanged';
export type Notices = { [Type in Notice]: Item<Type> };

/** Somebody gave a reaction to a message, or took it back; with all that the message has now. */
export type ReactionsChanged = Item<'reactionsChanged'>;

/** Tells of a change of a message that was sent before. */
export type ChangeFrame = Frames<'messageEdited' | 'messageDeleted' | 'reactionsChanged'>;

/** Tells of a message that was stored. */
export type MessageFrame = Frames<'privateMessage' | 'messageInGroup' | 'addUserInGroup' | 'leaveGroup'>;

/** A frame that nobody asked for. Others than these may come: they are left alone. */
export type BroadcastFrame = { success: true; params: { isBroadcast: true } } & (
  | MessageFrame
  | ChangeFrame
  | Frames<Notice | 'dropGroup' | 'catchUp'>
);

/** Anything that comes from the server, which is trusted to keep its contract. */
export type Frame = AnswerFrame | BroadcastFrame;
