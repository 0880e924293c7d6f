import { isMainThread } from 'node:worker_threads';

/** Loaded into a process before its own program: collects its garbage and tells what memory is left, whenever its parent asks. */
if (isMainThread) {
  process.on('message', () => {
    // Once more for what the first collection has only made ready to be freed.
    globalThis.gc?.();
    setTimeout(() => {
      globalThis.gc?.();
      process.send?.(process.memoryUsage());
    }, 100);
  });
  process.channel?.unref();
}
