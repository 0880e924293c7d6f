import type { Database } from '../../db/sequelize.ts';
import { Batcher } from '../../lib/batcher.ts';
import type { Metrics } from '../../metrics.ts';
import type { Publisher } from '../../realtime/publisher.ts';
import { groupTopic, userTopic } from '../../realtime/topics.ts';
import { type NewMessage, type Outcome, type WrittenMessage, writeMessages } from './writeMessages.ts';
import { writeToDialogs } from './writeToDialogs.ts';

const MAX_BATCH = 500;

type Writing = Batcher<NewMessage, Outcome>;

/**
 * Writes messages, many in one statement. Messages of one conversation keep the order in which they were given;
 * `seq`, `rev` and `createdAt` are handed out without gaps, also when several processes write at once.
 */
export class MessageWriter {
  readonly #toDialogs: Writing;
  readonly #toGroups: Writing;

  constructor(database: Database, metrics: Metrics, publisher: Publisher) {
    const inDoubt = (messages: NewMessage[]) => {
      for (const { conversationId, senderId, receiverId } of messages)
        publisher.requestCatchUp(receiverId === null ? groupTopic(conversationId) : userTopic(receiverId), senderId);
    };
    this.#toDialogs = batcher(metrics, 'dialog_messages', (messages) => writeToDialogs(database, messages, inDoubt));
    this.#toGroups = batcher(metrics, 'group_messages', (messages) => writeMessages(database, messages, inDoubt));
  }

  /**
   * Resolves when the message is committed; takes its place in the order before it returns.
   * @throws {AppError} `unauthorized`, `no_such_user`, `not_a_member`, `message_id_taken` or `no_such_message` (what it answers) when the message is refused, `busy` when too many wait.
   * After another error the message may or may not be stored: send it again with the same id. Who would have heard it is told to catch up
   * when nobody can say.
   */
  async send(message: NewMessage): Promise<WrittenMessage> {
    const outcome = await (message.receiverId === null ? this.#toGroups : this.#toDialogs).add(message);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /** Resolves when all that was given is written. */
  async drain(): Promise<void> {
    await Promise.all([this.#toDialogs.drain(), this.#toGroups.drain()]);
  }
}

const batcher = (metrics: Metrics, kind: string, flush: (messages: NewMessage[]) => Promise<(Outcome | Promise<Outcome>)[]>): Writing =>
  new Batcher({
    kind,
    metrics,
    flush,
    laneOf: (message) => message.conversationId,
    identityOf: ({ messageId }) => messageId,
    predecessorOf: ({ replyToId }) => replyToId,
    maxBatch: MAX_BATCH,
    interval: 0,
  });
