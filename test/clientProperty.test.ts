import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Message } from '../client/index.ts';
import { Application } from './support/application.ts';
import { type Fate, FaultyServer, type StoredConversation } from './support/faultyServer.ts';
import { type Deed, type Stored, shown } from './support/storedMessage.ts';

const BEFORE = 'Before';
const REACTION: Deed = { type: 'reactionsChanged', userId: randomUUID(), emoji: '👍', isAdded: true };
const DEEDS: Deed[] = [{ type: 'messageEdited', content: 'Edited' }, { type: 'messageDeleted' }, REACTION, { ...REACTION, isAdded: false }];
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
class Scene {
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

  static async open(rowLimit: number): Promise<Scene> {
    const server = await new FaultyServer().listen();
    server.rowLimit = rowLimit;
    const scene = new Scene(server);
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
    await this.#until(() => expect(this.drafts.size).toBe(0));
    await this.#application.online();
    this.server.broadcast('catchUp', {});
    for (const place of this.places) {
      const stored = place.messages.filter(isGiven);
      const expected = stored.map((message) => asTold(shown(message, place.messages, this.server.userId)));
      await this.#until(() => expect(this.#kept(place)).toEqual(expected));
      const revs = this.#givenOf(place).map(({ rev }) => rev);
      expect(revs).toEqual([...new Set(revs)].sort((one, other) => one - other));
      const sent = this.sent.filter((draft) => draft.place === place).map(({ messageId }) => messageId);
      expect(stored.map(({ messageId }) => messageId).filter((messageId) => sent.includes(messageId))).toEqual(sent);
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

  #until(check: () => void): Promise<void> {
    return vi.waitFor(check, { timeout: 10_000, interval: 2 });
  }
}

type Step = (scene: Scene) => unknown;

const index = fc.nat(7);
const lost = fc.constantFrom<Fate>('deliver', 'lose', 'cut');
const mixed = fc.constantFrom<Fate>('deliver', 'deliver', 'lose', 'double', 'overtake', 'cut');
const turns = async (count: number) => {
  for (let left = count; left > 0; left--) await turn();
};
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(index, mixed, fc.boolean()).map(
      ([index, fate, own]): Step =>
        (scene) =>
          scene.write(index, fate, own),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(index, lost).map(
      ([index, fate]): Step =>
        (scene) =>
          scene.send(index, fate),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(index, fc.nat(), mixed, fc.constantFrom<Deed | 'mine'>('mine', ...DEEDS)).map(
      ([index, which, fate, deed]): Step =>
        (scene) =>
          scene.change(index, which, fate, deed === 'mine' ? { ...REACTION, userId: scene.server.userId } : deed),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 20 }).map(
      (count): Step =>
        () =>
          turns(count),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((scene) => scene.server.cut()) },
  { weight: 1, arbitrary: fc.constant<Step>((scene) => scene.server.broadcast('catchUp', {})) },
  { weight: 1, arbitrary: fc.constant<Step>((scene) => scene.reload()) },
  {
    weight: 1,
    arbitrary: fc.boolean().map(
      (isGroup): Step =>
        (scene) =>
          scene.begin(isGroup),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('privateMessage', 'getMissed', 'subscribe').map(
      (type): Step =>
        ({ server }) =>
          server.refusals.push({ type, code: 'unavailable' }),
    ),
  },
);

describe('Whatever a faulty wire does, and however often the application begins anew,', () => {
  test('it is given each message and each of its changes once and in order, and in the end all that is stored', {
    timeout: 120_000,
  }, async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), async (steps, rowLimit) => {
      const scene = await Scene.open(rowLimit);
      try {
        for (const act of steps) await act(scene);
        await scene.judge();
      } finally {
        await scene.close();
      }
    });
    await fc.assert(property, { numRuns: 100 });
  });
});
