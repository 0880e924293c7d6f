import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { type ClientEvents, type Conversation, type Message, MessengerClient, type State } from '../../client/index.ts';
import { eventually } from './eventually.ts';

/** As a client waits, but for tests: an interruption costs milliseconds. */
const QUICK = {
  firstWait: 4,
  longestWait: 20,
  answerWithin: 10_000,
  silence: 60_000,
  signOfLifeWithin: 10_000,
  gapPatience: 2,
  catchUpSpread: 2,
};

export type QuickTimings = typeof QUICK;

/** The names of all events but that of messages. */
const HAPPENINGS: Exclude<keyof ClientEvents, 'message'>[] = [
  'status',
  'disconnected',
  'reset',
  'gone',
  'cleared',
  'userStatus',
  'messageRead',
  'userTyping',
  'groupUpdated',
  'memberRemoved',
  'roleChanged',
  'unauthorized',
  'error',
];

/** An application on a client: writes down all that it is told. */
export class Application {
  readonly client: MessengerClient;
  readonly messages: Message[] = [];
  /** Everything but messages. */
  readonly happenings: { name: keyof ClientEvents; event: unknown }[] = [];

  constructor(
    { url, userId, token = 'token' }: { url: string; userId: string; token?: string },
    state?: State,
    timings: Partial<QuickTimings> = {},
  ) {
    const options = { url, userId, token, WebSocket, timings: { ...QUICK, ...timings } };
    this.client = new MessengerClient(state ? { ...options, state } : options);
    this.client.on('message', (message) => this.messages.push(message));
    for (const name of HAPPENINGS) this.client.on(name, (event: unknown) => this.happenings.push({ name, event }));
  }

  /** What it was given of a conversation, in that order. */
  contents({ companionId, groupId }: Conversation): string[] {
    return this.messages.filter((one) => one.companionId === companionId && one.groupId === groupId).map(({ content }) => content);
  }

  /** The events of this name. */
  told(name: keyof ClientEvents): unknown[] {
    return this.happenings.filter((one) => one.name === name).map(({ event }) => event);
  }

  /** Waits until it has been given everything. */
  async online(): Promise<this> {
    await eventually(() => {
      if (this.client.status !== 'online') throw new Error(`it is ${this.client.status}`);
    });
    return this;
  }

  send({ companionId, groupId }: Conversation, content: string, { messageId = randomUUID() as string, replyToId = '' } = {}) {
    const to = groupId === null ? { receiverId: companionId ?? '' } : { groupId };
    return this.client.send({ ...to, content, messageId, ...(replyToId && { replyToId }) });
  }
}
