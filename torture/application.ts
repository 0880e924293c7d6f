import { setTimeout as delay } from 'node:timers/promises';
import { type Message, type MessengerClient, RequestError } from '../client/index.ts';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { type Row, seenMessage } from './ask.ts';
import type { SeenMessage } from './history.ts';
import { LARGEST_PAGE } from './pages.ts';
import type { Run } from './run.ts';

/** Before a page is asked for again, in milliseconds. */
const RETRY_DELAY = 300;

/** A conversation as its user sees it. */
type Name = Pick<Message, 'companionId' | 'groupId'>;

/** Of a conversation, by pages. What is changed after it was begun is given meanwhile. */
interface Reading {
  name: Name;
}

/** What an application keeps of what the client library gives it, without any thought of its own. */
export class Application {
  readonly #userId: string;
  readonly #run: Run;
  /** By conversation and message id. */
  readonly #messages = new Map<string, Map<string, SeenMessage>>();
  /** By conversation, the `rev` that was given last. */
  readonly #revs = new Map<string, number>();
  /** The conversations that are being read anew. */
  readonly #readings = new Map<string, Reading>();

  constructor(userId: string, run: Run) {
    this.#userId = userId;
    this.#run = run;
  }

  get isReading(): boolean {
    return this.#readings.size > 0;
  }

  /** What it has of a conversation, in the order in which it shows them. */
  messagesOf(conversationId: string): readonly SeenMessage[] {
    return [...this.#keptOf(conversationId).values()].sort((one, other) => one.seq - other.seq);
  }

  /** Begins anew. */
  forgetAll(): void {
    this.#messages.clear();
    this.#revs.clear();
    this.#readings.clear();
  }

  /** Does what the client says, which goes on where another one has ended. */
  listen(client: MessengerClient): void {
    client.on('message', (message) => {
      const id = this.#idOf(message);
      this.#check(id, message.rev);
      this.#keep(id, seenMessage(this.#run, message));
    });
    client.on('gone', ({ groupId }) => this.#messages.delete(groupId));
    client.on('cleared', ({ companionId, seq }) => {
      const id = this.#idOf({ companionId, groupId: null });
      const kept = this.#keptOf(id);
      for (const message of kept.values()) if (message.seq <= seq) kept.delete(message.messageId);
    });
    client.on('reset', ({ companionId, groupId, rev }) => {
      const name = { companionId, groupId };
      this.#messages.delete(this.#idOf(name));
      this.#revs.set(this.#idOf(name), rev);
      this.#run.counts.resets++;
      void this.#read(client, { name });
    });
    // What the former one could not finish.
    for (const reading of this.#readings.values()) void this.#read(client, reading);
  }

  #idOf({ companionId, groupId }: Name): string {
    return groupId ?? dialogId(this.#userId, companionId ?? '');
  }

  #keptOf(conversationId: string): Map<string, SeenMessage> {
    return this.#messages.get(conversationId) ?? new Map();
  }

  /** What comes from a page may be older than what was given meanwhile. */
  #keep(conversationId: string, message: SeenMessage): void {
    const kept = this.#keptOf(conversationId);
    this.#messages.set(conversationId, kept);
    if (message.rev > (kept.get(message.messageId)?.rev ?? 0)) kept.set(message.messageId, message);
  }

  #check(conversationId: string, rev: number): void {
    const { verdict, history } = this.#run;
    const before = this.#revs.get(conversationId) ?? 0;
    verdict.check(
      'a client library gives each change once, by rev',
      rev > before,
      () => `conversation ${conversationId}: that of ${this.#userId} gave ${rev} after ${before}`,
    );
    this.#revs.set(conversationId, rev);
    history.told(conversationId, rev);
  }

  async #read(client: MessengerClient, reading: Reading): Promise<void> {
    const id = this.#idOf(reading.name);
    this.#readings.set(id, reading);
    const rows: Row[] = [];
    for (let cursorCreatedAt: string | null = null; ; ) {
      const page = await readPage(client, reading.name, cursorCreatedAt);
      if (client.status === 'ended' || this.#readings.get(id) !== reading) return;
      rows.push(...(page ?? []));
      cursorCreatedAt = rows.at(-1)?.createdAt ?? null;
      if (page && page.length < LARGEST_PAGE) break;
    }
    this.#readings.delete(id);
    for (const row of rows) this.#keep(id, seenMessage(this.#run, row));
  }
}

/** Undefined, some time later, when the page could not be read. */
async function readPage(
  client: MessengerClient,
  { companionId, groupId }: Name,
  cursorCreatedAt: string | null,
): Promise<Row[] | undefined> {
  const page = { limit: LARGEST_PAGE, cursorCreatedAt };
  try {
    const { data } =
      groupId === null
        ? await client.request('getlatestMessageDialog', { receiverId: companionId ?? '', ...page })
        : await client.request('getlatestMessageGroup', { groupId, ...page });
    return data;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    await delay(RETRY_DELAY);
    return undefined;
  }
}
