import { z } from 'zod';
import { OPT_IN_EVENTS } from './optInEvents.ts';

const exceptions = { exceptUserIds: z.array(z.string()).optional(), exceptConnectionId: z.string().optional() };

/** What travels on a topic: a frame for the topic's connections, or a change of who is connected to what. A text may go with it. */
export const busMessage = z.discriminatedUnion('kind', [
  /**
   * For every connection in the topic, save the one it came from, or those of some users: whoever wrote what it tells, whether they are in
   * the topic or not, and whoever is told of it otherwise.
   */
  z.object({ kind: z.literal('broadcast'), ...exceptions }),
  /** The same for those only who asked for the event. A process that does not know it must not take it for a broadcast. */
  z.object({ kind: z.literal('event'), event: z.enum(OPT_IN_EVENTS), ...exceptions }),
  /** On a user's topic: the user became a member of a group, by the message with that number. The text is the broadcast that tells of it, if any. */
  z.object({ kind: z.literal('joined'), groupId: z.string(), seq: z.int() }),
  /** On a user's topic: the user is no longer a member, since the message with that number. The text is as above. */
  z.object({ kind: z.literal('left'), groupId: z.string(), seq: z.int() }),
  /** On a group's topic: it has no members any more. */
  z.object({ kind: z.literal('dropped') }),
  /** On a user's topic: the sessions of the user have ended, save one. */
  z.object({ kind: z.literal('revoked'), exceptSessionId: z.string().optional() }),
  /** On a user's topic: what the user may receive is to be read anew. */
  z.object({ kind: z.literal('reconnect') }),
  /** On a user's topic: a process wants to hear what the user does on others. */
  z.object({ kind: z.literal('ownWanted'), userId: z.string() }),
  /** For every connection in the topic: messages of it were lost, also those that change what it may receive. */
  z.object({ kind: z.literal('loss') }),
  /** For every connection in the topic that asked for it: something may not have been published there. */
  z.object({ kind: z.literal('catchUp') }),
  /** On the topic of a user's status: it may have changed. */
  z.object({ kind: z.literal('status'), userId: z.string() }),
]);

export type BusMessage = z.output<typeof busMessage>;

/** Who takes what arrives. */
export interface BusListener {
  /** Takes a message of a topic that is subscribed to; `text` is empty where there is none. Must neither throw nor wait. */
  receive(topic: string, message: BusMessage, text: string): void;
  /** All topics are subscribed to again, after a time in which messages may have been lost. */
  restored(): void;
  /** Messages of another process may have been lost. */
  lost(): void;
}

/**
 * Carries messages on topics to every process. What is published reaches the listener of this process at once, before `publish` returns,
 * if it subscribed to the topic, and that of every other process which did once, or not at all: the bus may lose messages, and says so
 * afterwards with `restored` and `lost`. What one process publishes on one topic arrives in the order in which it was published.
 */
export interface Bus {
  /** Whether anybody else may be listening: what has no subscriber here need not be published otherwise. */
  readonly isShared: boolean;
  /** What keeps it from reaching the other processes, on some topics or all; undefined when nothing does. */
  readonly failure: string | undefined;
  /** Begins to work for a listener. Resolves when it can, or after two seconds when it cannot yet. */
  start(listener: BusListener): Promise<void>;
  /** Resolves when whatever is published from now on arrives, or soon when that is not possible now. Never rejects. */
  subscribe(topic: string): Promise<void>;
  unsubscribe(topic: string): void;
  /**
   * Resolves with the number of processes that it was handed to, this one included; with undefined when it may be lost. Never rejects, and
   * nothing is to wait for it.
   */
  publish(topic: string, message: BusMessage, text?: string): Promise<number | undefined>;
  /** Takes and gives no more. */
  close(): Promise<void>;
}
