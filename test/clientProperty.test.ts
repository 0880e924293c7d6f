import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Message } from '../client/index.ts';
import { Application } from './support/application.ts';
import { type Fate, FaultyServer, type StoredConversation } from './support/faultyServer.ts';

const BEFORE = 'Before';
/** So that what is lost is soon sent again. */
const TIMINGS = { answerWithin: 60 };

interface Draft {
  place: StoredConversation;
  content: string;
}

/** A server, and an application that is begun anew now and then, with what it kept. */
class Scene {
  readonly server: FaultyServer;
  readonly places: StoredConversation[];
  /** What the application sent, in order. */
  readonly sent: Draft[] = [];
  /** What it has not seen acknowledged. */
  readonly drafts = new Map<string, Draft>();
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
    const draft = { place, content: this.#content() };
    const messageId = randomUUID();
    this.server.answerFates.push(fate);
    this.sent.push(draft);
    this.drafts.set(messageId, draft);
    this.#transmit(messageId, draft);
  }

  write(index: number, fate: Fate, own: boolean): void {
    this.server.broadcastFates.push(fate);
    this.server.write(this.#place(index), this.#content(), { own });
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
    for (const [messageId, draft] of this.drafts) this.#transmit(messageId, draft);
  }

  /** Ends the faults, and checks what the application has. */
  async judge(): Promise<void> {
    this.server.broadcastFates.length = 0;
    this.server.answerFates.length = 0;
    await this.#until(() => expect(this.drafts.size).toBe(0));
    await this.#application.online();
    this.server.broadcast('catchUp', {});
    for (const place of this.places) {
      const stored = place.messages.map(({ content }) => content).filter((content) => content !== BEFORE);
      await this.#until(() => expect(this.#contents(place)).toEqual(stored));
      const sent = this.sent.filter((draft) => draft.place === place).map(({ content }) => content);
      expect(stored.filter((content) => sent.includes(content))).toEqual(sent);
    }
  }

  async close(): Promise<void> {
    this.#application.client.close();
    await this.server.stop();
  }

  #transmit(messageId: string, { place, content }: Draft): void {
    this.#application.send(place, content, messageId).then(
      () => this.drafts.delete(messageId),
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

  #contents({ companionId, groupId }: StoredConversation): string[] {
    return [...this.#given, ...this.#application.messages]
      .filter((message) => message.companionId === companionId && message.groupId === groupId)
      .map(({ content }) => content);
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
  test('it is given each message once and in order, and in the end all that is stored', { timeout: 120_000 }, async () => {
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
