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

/** Of a conversation up to `rev`, by pages. What comes after that is given meanwhile. */
interface Reading {
  name: Name;
  rev: number;
}

/** What an application keeps of what the client library gives it, without any thought of its own. */
export class Application {
  readonly #userId: string;
  readonly #run: Run;
  /** By conversation, in the order in which they were given. */
  readonly #messages = new Map<string, SeenMessage[]>();
  /** The conversations that are being read anew. */
  readonly #readings = new Map<string, Reading>();

  constructor(userId: string, run: Run) {
    this.#userId = userId;
    this.#run = run;
  }

  get isReading(): boolean {
    return this.#readings.size > 0;
  }

  /** What it has of a conversation. */
  messagesOf(conversationId: string): readonly SeenMessage[] {
    return this.#messages.get(conversationId) ?? [];
  }

  /** Begins anew. */
  forgetAll(): void {
    this.#messages.clear();
    this.#readings.clear();
  }

  /** Does what the client says, which goes on where another one has ended. */
  listen(client: MessengerClient): void {
    client.on('message', (message) => {
      this.#keep(message).push(seenMessage(this.#run, message));
    });
    client.on('gone', ({ groupId }) => this.#messages.delete(groupId));
    client.on('cleared', ({ companionId, seq }) => {
      const id = this.#idOf({ companionId, groupId: null });
      this.#messages.set(
        id,
        this.messagesOf(id).filter((message) => message.seq > seq),
      );
    });
    client.on('reset', ({ companionId, groupId, rev }) => {
      const name = { companionId, groupId };
      this.#messages.delete(this.#idOf(name));
      this.#run.counts.resets++;
      void this.#read(client, { name, rev });
    });
    // What the former one could not finish.
    for (const reading of this.#readings.values()) void this.#read(client, reading);
  }

  #idOf({ companionId, groupId }: Name): string {
    return groupId ?? dialogId(this.#userId, companionId ?? '');
  }

  #keep(name: Name): SeenMessage[] {
    const id = this.#idOf(name);
    const kept = this.#messages.get(id) ?? [];
    this.#messages.set(id, kept);
    return kept;
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
    const before = rows.filter(({ rev }) => rev <= reading.rev).reverse();
    this.#messages.set(id, [...before.map((row) => seenMessage(this.#run, row)), ...this.messagesOf(id)]);
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
