import type { State } from './positions.ts';
import type { SocketClass } from './socket.ts';
import type { Timings } from './timings.ts';

export interface ClientOptions {
  /** Of the server, as `wss://chat.example.com/api/ws`. */
  url: string;
  /** Whose token it is; the answer to the log-in holds both. */
  userId: string;
  token: string;
  /** What a former client of this user had as `state`. Without it, or with that of another user, messages are given from now on. */
  state?: State;
  /** The class that makes connections, where the platform has none: in Node before 22, that of the package `ws`. */
  WebSocket?: SocketClass;
  /** How long to wait for what, where it is not to be as usual. */
  timings?: Partial<Timings>;
}

/** To one person, or to a group. */
export type NewMessage = ({ receiverId: string } | { groupId: string }) & {
  content: string;
  /** The same id again is the same message. A random one if there is none. */
  messageId?: string;
  /** The message of the same conversation that it answers. */
  replyToId?: string;
};
