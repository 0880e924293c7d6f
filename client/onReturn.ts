/** As much of a browser as this listens to. */
interface Platform {
  addEventListener?: EventTarget['addEventListener'];
  document?: EventTarget & { visibilityState: string };
}

/** Calls `listener` when a browser has a network again, and when its user returns to the page, until the signal; on other platforms never. */
export function onReturn(listener: () => void, signal: AbortSignal): void {
  const platform: typeof globalThis & Platform = globalThis;
  const { document } = platform;
  platform.addEventListener?.('online', listener, { signal });
  document?.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && listener(), { signal });
}
