import type { Loss } from './connection.ts';
import type { Message } from './message.ts';
import type { RequestError } from './requestError.ts';
import type { MissedAnswer, Notices } from './wire.ts';

/**
 * - `connecting`: there is no connection; the client tries to make one.
 * - `catchingUp`: connected, but the application may not have everything yet.
 * - `online`: the application has been given everything that there was when the connection began, and is given what comes. It stays so until
 *   the connection is lost, also while the client asks for events that it missed. The first time is the moment to read chats and pages of history.
 * - `ended`: closed or unauthorized. It stays so.
 */
export type Status = 'connecting' | 'catchingUp' | 'online' | 'ended';

/**
 * What the application is told, by name. What the events that are not here tell of reading, typing, presence and groups
 * comes as the server sends it.
 */
export interface ClientEvents extends Notices {
  /**
   * A message of any conversation, also one that this client sent itself: once when it is new, and again whole whenever it was edited
   * or deleted or there are other reactions to it. Those of a conversation come in the order of their `rev`, each `rev` once at most.
   */
  message: Message;
  status: Status;
  /** An attempt to connect failed, or the connection was lost, and another attempt follows. Not told after `close` and beside `unauthorized`. */
  disconnected: Loss;
  /**
   * More was missed than can be caught up with, or the server refused the client's `state`, as `error` tells:
   * read the conversation anew from its newest page. What comes after `rev` is given.
   */
  reset: MissedAnswer['item']['reset'][number];
  /** The user is no longer in the group, or it was dropped. */
  gone: { groupId: string };
  /** The user deleted the dialog up to and with the message that has this `seq`. */
  cleared: MissedAnswer['item']['cleared'][number];
  /** The token is not valid, or no longer: log in, and make a new client with the state of this one. */
  unauthorized: undefined;
  /**
   * Something that trying again may not mend; it is tried again all the same. But with `no_shared_chat` those whom the message names are
   * not watched any more.
   */
  error: RequestError;
}

export type Emit = <Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]) => void;
