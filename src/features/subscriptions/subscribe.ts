import { z } from 'zod';
import { one } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { OPT_IN_EVENTS } from '../../realtime/optInEvents.ts';

/** `subscribe`: from the answer on this connection receives the named opt-in events, and no others. */
export const subscribe = operation({
  params: z.strictObject({
    events: z.array(z.enum(OPT_IN_EVENTS, `must be one of ${OPT_IN_EVENTS.join(', ')}`)).max(100, 'must be at most 100 names'),
  }),
  answer: one(z.object({ events: z.array(z.enum(OPT_IN_EVENTS)) })),
  async handle({ connection, services: { hub } }, { events: names }) {
    if (!connection) throw new AppError('upgrade_required');
    const events = OPT_IN_EVENTS.filter((event) => names.includes(event));
    await hub.subscribe(connection, new Set(events));
    return { item: { events }, data: null };
  },
});
