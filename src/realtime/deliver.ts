import type { Metrics } from '../metrics.ts';
import type { Frame } from './frame.ts';
import type { OptInEvent } from './optInEvents.ts';
import type { Subscriber } from './subscriber.ts';

/** Who gets a broadcast: everybody in the topic but these. */
export interface Exceptions {
  exceptUserIds?: string[] | undefined;
  exceptConnectionId?: string | undefined;
}

/** The same, of those only who asked for the event. */
interface Audience extends Exceptions {
  event?: OptInEvent | undefined;
}

/** Hands a frame to those of the connections that it is for. */
export function deliver(
  metrics: Metrics,
  subscribers: Iterable<Subscriber>,
  frame: Frame,
  { event, exceptUserIds, exceptConnectionId }: Audience = {},
): void {
  let count = 0;
  for (const subscriber of subscribers) {
    if (event && !subscriber.events.has(event)) continue;
    if (exceptUserIds?.includes(subscriber.userId) || subscriber.id === exceptConnectionId) continue;
    subscriber.deliver(frame);
    count++;
  }
  metrics.deliveries.inc(count);
}
