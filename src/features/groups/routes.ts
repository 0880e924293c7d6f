import { z } from 'zod';
import type { Env } from '../../env.ts';
import { type Route, route } from '../../http/route.ts';
import { createGroup, newGroup } from './createGroup.ts';

const create = (env: Env) =>
  route({
    method: 'post',
    path: '/groups',
    aliases: ['/use-cases/create-group'],
    summary: 'Create a group that I own; the same again changes nothing',
    params: newGroup(env),
    status: 200,
    answer: z.object({ message: z.string() }),
    errors: ['group_id_taken', 'message_id_taken'],
    async handle(context, group) {
      await createGroup(context, group);
      return { message: 'Group created' };
    },
  });

export const groupRoutes = (env: Env): Route[] => [create(env)];
