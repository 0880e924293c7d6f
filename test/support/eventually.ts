import { vi } from 'vitest';

/**
 * Waits for what comes soon: until the check does not fail, and returns what it returned. The patience is for a machine
 * that has much else to do, and costs nothing elsewhere. Where a time is what is promised, it is not for this.
 */
export const eventually = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 20_000, interval: 10 });
