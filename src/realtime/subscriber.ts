import type { Frame } from './frame.ts';
import type { OptInEvent } from './optInEvents.ts';

/** A connection, as the hub sees it. */
export interface Subscriber {
  readonly id: string;
  readonly userId: string;
  readonly sessionId: string;
  /** Whether its client is served: before that it is being opened. */
  readonly isOpen: boolean;
  /** The topics it is in; the hub's to change. */
  readonly topics: Set<string>;
  /** The opt-in events that it asked for; the hub's to change. */
  events: ReadonlySet<OptInEvent>;
  /** Groups that the user joined (true) or left (false) while the user's groups are being read; the hub's to change. */
  groupChanges: Map<string, boolean> | undefined;
  /** Takes a frame for the client. Must neither throw nor wait. */
  deliver(frame: Frame): void;
  /** The session is no longer valid. */
  revoke(): void;
  /** The client is to connect again: what it may receive is to be read anew. */
  reconnect(): void;
}
