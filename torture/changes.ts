import { setTimeout as delay } from 'node:timers/promises';
import type { Account } from '../bench/client.ts';
import { type MessengerClient, RequestError } from '../client/index.ts';
import type { Application } from './application.ts';
import { type Change, type Conversation, type Deed, nameOf, type SeenMessage } from './history.ts';
import type { Random } from './random.ts';
import type { Run } from './run.ts';
import { someText } from './texts.ts';

/** Changes are made to so many of the newest messages. */
const NEWEST = 60;
/** Changes that may be neither made nor refused; then no new ones are begun. The server makes those of one connection one after the other. */
const MAX_UNDER_WAY = 3;
const EMOJIS = ['👍', '❤️', '😀', '🎉', '👩‍🚀', '🇫🇷'];
const KINDS = ['edit', 'edit', 'react', 'react', 'react', 'react', 'react', 'react', 'react', 'delete'] as const;

interface Surroundings {
  run: Run;
  account: Account;
  application: Application;
  /** The client of now; undefined between two lives of the application. */
  client(): MessengerClient | undefined;
}

/** What a device does to messages that its application has. Each change is asked for until it is made or refused, and one of a message at a time. */
export class Changes {
  readonly #around: Surroundings;
  readonly #random: Random;
  /** Decides how long to wait. */
  readonly #patience: Random;
  /** By message id, what is neither made nor refused. */
  readonly #underWay = new Map<string, Change>();
  #hasEnded = false;

  constructor(surroundings: Surroundings, random: Random) {
    this.#around = surroundings;
    this.#random = random;
    this.#patience = random.fork();
  }

  /** Changes that are neither made nor refused. */
  get unanswered(): number {
    return this.#underWay.size;
  }

  /** Begins a change of some message of the conversation, if there is one to be changed. */
  begin(conversation: Conversation): void {
    if (this.unanswered >= MAX_UNDER_WAY) return;
    const { run, account, application } = this.#around;
    const kind = this.#random.pick(KINDS);
    const candidates = application
      .messagesOf(conversation.id)
      .slice(-NEWEST)
      .filter((message) => this.#isChangeable(message, kind, conversation));
    if (candidates.length === 0) return;
    const { messageId } = this.#random.pick(candidates);
    const begun = { messageId, conversation, userId: account.id, deed: this.#deed(kind), begunAt: run.history.moment() };
    const change: Change = { ...begun, transmissions: 0, outcome: undefined, rev: 0 };
    run.history.begin(change);
    this.#underWay.set(messageId, change);
    run.counts.changes++;
    void this.#perform(change);
  }

  /** A request that names this message is about to be sent. */
  transmitted(messageId: string): void {
    const change = this.#underWay.get(messageId);
    if (change) change.transmissions++;
  }

  end(): void {
    this.#hasEnded = true;
  }

  #isChangeable(
    { messageId, senderId, deletedAt }: SeenMessage,
    kind: Deed['kind'],
    { kind: conversationKind, memberIds }: Conversation,
  ): boolean {
    const { run, account } = this.#around;
    if (deletedAt !== null || this.#underWay.has(messageId) || !run.history.sends.has(messageId)) return false;
    const [ownerId] = memberIds;
    const isOwner = conversationKind === 'group' && ownerId === account.id;
    return kind === 'react' || senderId === account.id || (kind === 'delete' && isOwner);
  }

  #deed(kind: Deed['kind']): Deed {
    const random = this.#random;
    if (kind === 'react') return { kind, emoji: random.pick(EMOJIS), isAdded: random.chance(65) };
    // No two are alike: the same text again would change nothing.
    return kind === 'edit' ? { kind, content: `Edited ${random.integer(0, 0x7fffffff)} ${someText(random)}` } : { kind };
  }

  async #perform(change: Change): Promise<void> {
    const { run, client } = this.#around;
    while (!this.#hasEnded) {
      const now = client();
      const outcome = now && (await request(now, change).catch((error: unknown) => error));
      if (typeof outcome === 'number') {
        change.rev = outcome;
        run.history.told(change.conversation.id, outcome);
        return this.#settle(change, 'made');
      }
      if (outcome instanceof RequestError && !isPassing(outcome)) {
        this.#judge(change, outcome);
        return this.#settle(change, 'refused');
      }
      if (outcome !== undefined && !(outcome instanceof RequestError)) throw outcome;
      await delay(this.#patience.integer(100, 600));
    }
  }

  #settle(change: Change, outcome: 'made' | 'refused'): void {
    change.outcome = outcome;
    this.#underWay.delete(change.messageId);
  }

  /** Nobody can change what somebody else has deleted meanwhile. */
  #judge({ messageId, conversation, deed }: Change, { code, message }: RequestError): void {
    const { verdict, history } = this.#around.run;
    const isDeleted = history.changes.get(messageId)?.some((other) => other.deed.kind === 'delete') ?? false;
    verdict.check(
      'a client library is refused only for a while',
      code === 'no_such_message' && isDeleted && deed.kind !== 'delete',
      () => `conversation ${conversation.id}: to ${deed.kind} message ${messageId} was refused: ${message}`,
    );
  }
}

const isPassing = ({ code, isRetryable }: RequestError): boolean => isRetryable || code === 'disconnected' || code === 'closed';

/** Asks for a change. Returns the `rev` that the message has then. */
async function request(client: MessengerClient, { conversation, userId, messageId, deed }: Change): Promise<number> {
  const message = { ...nameOf(conversation, userId), messageId };
  switch (deed.kind) {
    case 'edit':
      return (await client.request('editMessage', { ...message, content: deed.content })).item.rev;
    case 'delete':
      return (await client.request('deleteMessage', message)).item.rev;
    case 'react': {
      const { emoji, isAdded } = deed;
      return (await client.request(isAdded ? 'addReaction' : 'removeReaction', { ...message, emoji })).item.rev;
    }
  }
}
