import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Message } from '../../client/index.ts';
import { Application } from './application.ts';
import { eventually } from './eventually.ts';
import { type Fate, FaultyServer, type StoredConversation } from './faultyServer.ts';
import { type Deed, type Stored, shown } from './storedMessage.ts';

const BEFORE = 'Before';
/** So that what is lost is soon sent again. */
const TIMINGS = { answerWithin: 60 };

interface Draft {
  place: StoredConversation;
  messageId: string;
  content: string;
}

const isGiven = ({ content }: Stored): boolean => content !== BEFORE;
const asTold = ({ messageId, content, seq, rev, editedAt, deletedAt, reactions }: ReturnType<typeof shown> | Message) => {
  return { messageId, content, seq, rev, editedAt, deletedAt, reactions };
};

/** A server, and an application that is begun anew now and then, with what it kept. */
export class FaultyScene {
  readonly server: FaultyServer;
  readonly places: StoredConversation[];
  /** What the application sent, in order. */
  readonly sent: Draft[] = [];
  /** What it has not seen acknowledged. */
  readonly drafts = new Set<Draft>();
  readonly #given: Message[] = [];
  #application: Application;
  #count = 0;

  private constructor(server: FaultyServer) {
    this.server = server;
    this.places = [server.newDialog(), server.newDialog(), server.newGroup(), server.newGroup()];
    for (const place of this.places.slice(1, 3)) server.write(place, BEFORE);
    this.#application = new Application(server, undefined, TIMINGS);
  }

  static async open(rowLimit: number): Promise<FaultyScene> {
    const server = await new FaultyServer().listen();
    server.rowLimit = rowLimit;
    const scene = new FaultyScene(server);
    await scene.#application.online();
    return scene;
  }

  send(index: number, fate: Fate): void {
    const place = this.#place(index);
    const draft = { place, messageId: randomUUID(), content: this.#content() };
    this.server.answerFates.push(fate);
    this.sent.push(draft);
    this.drafts.add(draft);
    this.#transmit(draft);
  }

  write(index: number, fate: Fate, own: boolean): void {
    this.server.broadcastFates.push(fate);
    this.server.write(this.#place(index), this.#content(), { own });
  }

  /** Changes one of the messages that the application is or was given, if there are any. */
  change(index: number, which: number, fate: Fate, deed: Deed): void {
    const place = this.#place(index);
    const messages = place.messages.filter(isGiven);
    const message = messages[which % messages.length];
    if (!message) return;
    this.server.broadcastFates.push(fate);
    this.server.change(place, message, deed);
  }

  /** The application itself changes something, and does not care whether it succeeds. */
  edit(index: number, which: number, fate: Fate): void {
    const { companionId, groupId, messages } = this.#place(index);
    const given = messages.filter(isGiven);
    const { messageId } = given[which % given.length] ?? {};
    if (messageId === undefined) return;
    this.server.answerFates.push(fate);
    const name = groupId === null ? { receiverId: companionId ?? '' } : { groupId };
    this.#application.client.request('editMessage', { ...name, messageId, content: this.#content() }).catch(() => {});
  }

  begin(isGroup: boolean): void {
    const place = isGroup ? this.server.newGroup() : this.server.newDialog();
    this.places.push(place);
    this.server.write(place, this.#content());
  }

  reload(): void {
    const { client, messages } = this.#application;
    client.close();
    this.#given.push(...messages);
    this.#application = new Application(this.server, JSON.parse(JSON.stringify(client.state)), TIMINGS);
    for (const draft of this.drafts) this.#transmit(draft);
  }

  /** Ends the faults, and checks what the application has. */
  async judge(): Promise<void> {
    this.server.broadcastFates.length = 0;
    this.server.answerFates.length = 0;
    await eventually(() => expect(this.drafts.size).toBe(0));
    await this.#application.online();
    this.server.broadcast('catchUp', {});
    for (const place of this.places) {
      const stored = () => place.messages.filter(isGiven);
      // What the application edited may be on its way to the server still.
      const expected = () => stored().map((message) => asTold(shown(message, place.messages, this.server.userId)));
      await eventually(() => expect(this.#kept(place)).toEqual(expected()));
      const revs = this.#givenOf(place).map(({ rev }) => rev);
      expect(revs).toEqual([...new Set(revs)].sort((one, other) => one - other));
      const sent = this.sent.filter((draft) => draft.place === place).map(({ messageId }) => messageId);
      expect(
        stored()
          .map(({ messageId }) => messageId)
          .filter((messageId) => sent.includes(messageId)),
      ).toEqual(sent);
    }
  }

  async close(): Promise<void> {
    this.#application.client.close();
    await this.server.stop();
  }

  #transmit(draft: Draft): void {
    const { place, messageId, content } = draft;
    this.#application.send(place, content, { messageId }).then(
      () => this.drafts.delete(draft),
      (error) => expect(error).toMatchObject({ code: 'closed' }),
    );
  }

  #place(index: number): StoredConversation {
    const place = this.places[index % this.places.length];
    if (!place) throw new Error('there is no place');
    return place;
  }

  #content(): string {
    return `Message ${++this.#count}`;
  }

  #givenOf({ companionId, groupId }: StoredConversation): Message[] {
    const given = [...this.#given, ...this.#application.messages];
    return given.filter((message) => message.companionId === companionId && message.groupId === groupId);
  }

  /** The last that was given of each message, by `seq`. */
  #kept(place: StoredConversation): object[] {
    const kept = new Map(this.#givenOf(place).map((message) => [message.messageId, message]));
    return [...kept.values()].sort((one, other) => one.seq - other.seq).map(asTold);
  }
}
