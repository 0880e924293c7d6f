import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { OptInEvent } from '../../src/realtime/optInEvents.ts';
import type { TestUser } from './http.ts';
import { NEWEST, newCircle, type Person } from './people.ts';
import { type Answer, connect, type Socket } from './socket.ts';

/** Events that tell of a change of a message. */
export const CHANGE_EVENTS = ['messageEdited', 'messageDeleted', 'reactionsChanged'] as const satisfies OptInEvent[];

export const KINDS = ['dialog', 'group'] as const;
export type Kind = (typeof KINDS)[number];

/** How a request names a conversation. */
export type Name = { receiverId: string } | { groupId: string };

const row = z.looseObject({ messageId: z.string(), seq: z.int(), rev: z.int() });
/** A message, as a list shows it. */
export type Row = z.output<typeof row>;

/** A dialog of two people, or a group of them that the first one owns; each of them knows it by another name. */
export class Talk {
  readonly kind: Kind;
  readonly groupId: string | null;
  readonly #people: [Person, Person];

  private constructor(people: [Person, Person], groupId: string | null) {
    this.kind = groupId === null ? 'dialog' : 'group';
    this.groupId = groupId;
    this.#people = people;
  }

  static async begin(server: { url: string }, kind: Kind, people: [Person, Person]): Promise<Talk> {
    return new Talk(people, kind === 'group' ? await newCircle(server, people) : null);
  }

  name({ id }: { id: string }): Name {
    return this.groupId === null ? { receiverId: this.#companionOf(id) } : { groupId: this.groupId };
  }

  /** How events and rows name it to one of the two. */
  address({ id }: { id: string }): { companionId: string | null; groupId: string | null } {
    return { companionId: this.groupId === null ? this.#companionOf(id) : null, groupId: this.groupId };
  }

  /** Where it is below `/api` for one of the two. */
  path({ id }: { id: string }): string {
    return this.groupId === null ? `/dialogs/${this.#companionOf(id)}` : `/groups/${this.groupId}`;
  }

  /** Writes into it; `more` may say what the message answers. Returns the id of the message. */
  async say(by: Person, content: string, { messageId = randomUUID(), ...more }: { messageId?: string; replyToId?: string } = {}) {
    await by.socket.ask(this.kind === 'dialog' ? 'privateMessage' : 'messageInGroup', { ...this.name(by), messageId, content, ...more });
    return messageId;
  }

  /** Asks for something about a message of it. */
  ask(by: Person, type: string, messageId: string, params: object = {}): Promise<Answer['params']> {
    return by.socket.ask(type, { ...this.name(by), messageId, ...params });
  }

  /** The same, when it must be refused: the code of the error. */
  async refusal(by: Person, type: string, messageId: string, params: object = {}): Promise<string> {
    return (await by.socket.fail(type, { ...this.name(by), messageId, ...params })).code;
  }

  /** Its newest messages, newest first. */
  async history(by: Person): Promise<Row[]> {
    const type = this.kind === 'dialog' ? 'getlatestMessageDialog' : 'getlatestMessageGroup';
    return z.array(row).parse(await by.socket.rows(type, { ...this.name(by), ...NEWEST }));
  }

  /** What was missed of it after a change. */
  async missed(by: Person, afterRev: number): Promise<Row[]> {
    const cursors = [{ ...this.name(by), afterRev }];
    return z.array(row).parse(await by.socket.rows('getMissed', { cursors, changedSince: null, limit: 500 }));
  }

  /** The newest message of it, as each of the lists shows it. */
  async newest(by: Person): Promise<Row[]> {
    const chats = z.array(row).parse(await by.socket.rows('listLastMessage', NEWEST));
    const [newest] = await this.history(by);
    if (!newest) return [];
    const { messageId } = newest;
    const missed = await this.missed(by, 0);
    return [newest, ...[...missed, ...chats].filter((one) => one.messageId === messageId)];
  }

  #companionOf(id: string): string {
    const other = this.#people.find((person) => person.id !== id);
    return other?.id ?? id;
  }
}

/** Another connection of a user, which asked for events. */
export async function device<User extends TestUser>(
  server: { url: string },
  user: User,
  events: readonly OptInEvent[] = CHANGE_EVENTS,
): Promise<User & { socket: Socket }> {
  const socket = await connect(server, user);
  await socket.ask('subscribe', { events });
  return { ...user, socket };
}
