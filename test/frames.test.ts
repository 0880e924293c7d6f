import { afterEach, describe, expect, test, vi } from 'vitest';

/** What a version of the library may make of `Sender`, on whose `frame` nobody has promised that we may rely. */
const SENDERS = [
  ['has none', undefined],
  ['has no such function', {}],
  ['frames in another way', { frame: (payload: Buffer) => [payload] }],
  [
    'refuses what it is given',
    {
      frame() {
        throw new TypeError('no options');
      },
    },
  ],
] as const;

/** Loads everything anew, so that it finds the `ws` of this test. */
async function loadAnew() {
  vi.resetModules();
  const { startServer } = await import('./support/server.ts');
  const { newPerson, write } = await import('./support/people.ts');
  const { textFrame } = await import('../src/realtime/frame.ts');
  return { startServer, newPerson, write, textFrame };
}

describe('Frames are encoded once', () => {
  afterEach(() => vi.doUnmock('ws'));

  test('by the library that is installed, as they go over the wire', async () => {
    const { textFrame } = await loadAnew();
    const text = 'é'.repeat(100);
    expect(textFrame(text).bytes).toEqual(Buffer.concat([Buffer.from([0x81, 126, 0, 200]), Buffer.from(text)]));
  });

  test.each(SENDERS)('and sent as text by a library that %s: messages arrive all the same', async (_what, Sender) => {
    vi.doMock('ws', async (original) => ({ ...(await original<object>()), Sender }));
    const { startServer, newPerson, write, textFrame } = await loadAnew();
    expect(textFrame('Hello')).toEqual({ text: 'Hello', bytes: undefined });
    const server = await startServer();
    const [ann, bob] = [await newPerson(server), await newPerson(server)];
    await write(ann, bob, 'Hello');
    expect(await bob.socket.broadcast('privateMessage')).toMatchObject({ message: 'Hello' });
    await server.app.stop();
  });
});
