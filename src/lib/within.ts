import { setTimeout as delay } from 'node:timers/promises';

/** What `promise` resolves with, or rejects with, within so many milliseconds; undefined after that. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  const timer = new AbortController();
  const late = delay(milliseconds, undefined, { signal: timer.signal, ref: false }).catch(() => undefined);
  return Promise.race([promise, late]).finally(() => timer.abort());
}
