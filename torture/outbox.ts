import { randomUUID } from 'node:crypto';
import { ERRORS } from '../src/errors.ts';
import { type Conversation, nameOf, type SeenConnection, type Send } from './history.ts';
import type { Link } from './link.ts';
import type { Random } from './random.ts';
import type { Run } from './run.ts';

/** After so many milliseconds without an answer a message is sent again: seldom enough that the server is not busy with repetitions alone. */
const RETRY_AFTER = 8_000;

const RETRYABLE = new Set<string>(Object.entries(ERRORS).flatMap(([code, { retryable }]) => (retryable ? [code] : [])));

/** Whether the README says of this error to send the same again. */
export const isRetryable = (code: string): boolean => RETRYABLE.has(code);

/** What a client has begun to send: each message is sent again, with the same id, until it is acknowledged. */
export class Outbox {
  /** When the transmission that was acknowledged last was sent. */
  acknowledgedSince = 0;
  readonly #run: Run;
  /** Decides when to try again after an error. */
  readonly #random: Random;
  /** The unacknowledged, and when to send each again. */
  readonly #dueAt = new Map<Send, number>();

  constructor(run: Run, random: Random) {
    this.#run = run;
    this.#random = random;
  }

  get unacknowledged(): number {
    return this.#dueAt.size;
  }

  /** Begins a message. */
  begin(link: Link, connection: SeenConnection, conversation: Conversation, content: string, replyToId: string | null): void {
    const { history, counts } = this.#run;
    const messageId = randomUUID();
    const { userId: senderId } = connection;
    const begunAt = history.moment();
    const progress = { node: link.node, transmissions: 0, acknowledgedAt: undefined };
    const send: Send = { messageId, conversation, senderId, content, replyToId, connection, begunAt, ...progress };
    history.sends.set(messageId, send);
    counts.sends++;
    this.#transmit(link, send);
  }

  /** The connection is another: whatever was under way on the former is sent again. */
  retryAll(): void {
    for (const send of this.#dueAt.keys()) this.#dueAt.set(send, 0);
  }

  /** Sends again what is due. */
  retryDue(link: Link): void {
    const now = Date.now();
    for (const [send, dueAt] of this.#dueAt) {
      if (dueAt > now) continue;
      this.#run.counts.retries++;
      this.#transmit(link, send);
    }
  }

  #transmit(link: Link, send: Send): void {
    const { verdict, counts } = this.#run;
    const { messageId, content, replyToId } = send;
    const type = send.conversation.kind === 'group' ? 'messageInGroup' : 'privateMessage';
    const to = nameOf(send.conversation, send.senderId);
    send.transmissions++;
    if (send.node !== link.node) send.node = undefined;
    this.#dueAt.set(send, Date.now() + RETRY_AFTER);
    link.request(type, { messageId, content, ...to, ...(replyToId && { replyToId }) }, (answer, sentAt) => {
      if ('success' in answer) this.#acknowledge(send, sentAt, answer.params.rev);
      else {
        counts.refusals++;
        counts.error(answer.code);
        const mayRetry = verdict.check(
          'a request that may be made is refused only for a while',
          isRetryable(answer.code) || send.acknowledgedAt !== undefined,
          () => `conversation ${send.conversation.id}: message ${messageId} was refused with ${answer.code}: ${answer.message}`,
        );
        if (!mayRetry) this.#dueAt.delete(send);
        else if (this.#dueAt.has(send)) this.#dueAt.set(send, Date.now() + this.#random.integer(100, 600));
      }
    });
  }

  #acknowledge(send: Send, sentAt: number, rev = 0): void {
    const { history, counts } = this.#run;
    history.told(send.conversation.id, rev);
    this.acknowledgedSince = Math.max(this.acknowledgedSince, sentAt);
    if (!this.#dueAt.delete(send)) return;
    send.acknowledgedAt = history.moment();
    history.latestAcknowledged.set(send.conversation.id, send);
    counts.acknowledged++;
  }
}
