import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { FaultyScene } from './support/faultyScene.ts';
import type { Fate } from './support/faultyServer.ts';
import type { Deed } from './support/storedMessage.ts';

const REACTION: Deed = { type: 'reactionsChanged', userId: randomUUID(), emoji: '👍', isAdded: true };
const DEEDS: Deed[] = [{ type: 'messageEdited', content: 'Edited' }, { type: 'messageDeleted' }, REACTION, { ...REACTION, isAdded: false }];
type Step = (scene: FaultyScene) => unknown;

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
    weight: 2,
    arbitrary: fc.tuple(index, fc.nat(), lost).map(
      ([index, which, fate]): Step =>
        (scene) =>
          scene.edit(index, which, fate),
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
      const scene = await FaultyScene.open(rowLimit);
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
