import { z } from 'zod';
import { nothing, pageOf } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { DONE, operation } from '../../operation.ts';
import { isStatusTopic, statusTopic } from '../../realtime/topics.ts';
import { id } from '../../schemas.ts';
import { userStatus } from './presenceStore.ts';
import { strangersAmong } from './queries.ts';

const MAX_USERS = 200;
/** Users that one connection may watch. */
const MAX_WATCHED = 1_000;

const params = z.strictObject({
  userIds: z.array(id).min(1, 'must name at least one user').max(MAX_USERS, `must be at most ${MAX_USERS} users`),
});

/** `watchPresence`: who of the users is online; from then on `userStatus` tells the connection when that changes. */
export const watchPresence = operation({
  exclusive: true,
  inTurn: true,
  params,
  answer: pageOf(userStatus),
  async handle({ userId, connection, services: { database, presence } }, { userIds }) {
    if (!connection) throw new AppError('upgrade_required');
    const asked = [...new Set(userIds)];
    const pairs = asked.map((otherId) => ({ userId, otherId }));
    const strangers = await strangersAmong(database, pairs);
    if (strangers.length > 0) {
      const issues = strangers.map(({ otherId }) => ({ path: `userIds.${userIds.indexOf(otherId)}`, message: 'shares no chat with you' }));
      throw new AppError('no_shared_chat', { issues });
    }
    const watched = new Set([...[...connection.topics].filter(isStatusTopic), ...asked.map(statusTopic)]);
    if (watched.size > MAX_WATCHED) {
      throw new AppError('invalid_params', { issues: [{ path: 'userIds', message: `a connection may watch ${MAX_WATCHED} users` }] });
    }
    return { item: null, data: await presence.watch(connection, asked) };
  },
});

/** `unwatchPresence`: the connection hears no more of the users. */
export const unwatchPresence = operation({
  params,
  answer: nothing,
  async handle({ connection, services: { presence } }, { userIds }) {
    if (!connection) throw new AppError('upgrade_required');
    presence.unwatch(connection, userIds);
    return DONE;
  },
});
