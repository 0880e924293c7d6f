import { defineConfig } from 'vitest/config';

/** Tests that take all of the machine, and would make others wait too long. */
const HEAVY = ['killedNode', 'oneConversation', 'reconnecting', 'torture', 'tortureOfMany'].map((name) => `test/${name}.test.ts`);

/** Long enough for a machine that has much else to do: they only end what hangs. */
const common = { globalSetup: 'test/support/globalSetup.ts', testTimeout: 90_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: HEAVY,
          // Most tests wait for a server or a database, so more files than cores run side by side.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...common, name: 'one after the other', include: HEAVY, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
});
