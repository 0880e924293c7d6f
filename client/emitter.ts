type Listeners<Events> = { [Name in keyof Events]?: Set<(event: Events[Name]) => void> };

/**
 * Tells listeners of what happens, in the order in which it happens. What a listener throws is its own: the others are still told.
 * It is reported as uncaught, as the platform itself reports a promise of a listener that nobody catches: both end a Node process.
 */
export class Emitter<Events> {
  readonly #listeners: Listeners<Events> = {};

  /** Calls `listener` at every event of this name. Returns what ends that. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    let listeners = this.#listeners[name];
    if (!listeners) {
      listeners = new Set();
      this.#listeners[name] = listeners;
    }
    const added = listeners.add(listener);
    return () => {
      added.delete(listener);
    };
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.#listeners[name] ?? []) {
      try {
        listener(event);
      } catch (error) {
        // Reported as an uncaught error, without keeping anybody else from the event.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
