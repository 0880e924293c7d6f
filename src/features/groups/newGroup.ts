import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { knownId, one } from '../../answers.ts';
import type { Env } from '../../env.ts';
import { operation } from '../../operation.ts';
import { groupName, messageText, newMessageId } from '../../schemas.ts';
import { createGroup, guests, newGroupId } from './createGroup.ts';

const CREATED = 'created the group';

/** `newGroup`: makes a group that I own, with these users in it; with a groupId, the same again changes nothing. */
export const newGroup = ({ MAX_MESSAGE_LENGTH }: Env) =>
  operation({
    exclusive: true,
    params: z.strictObject({
      groupName,
      groupId: newGroupId.optional(),
      messageId: newMessageId.optional(),
      message: messageText(MAX_MESSAGE_LENGTH).optional(),
      userIds: guests,
    }),
    answer: one(z.object({ groupId: knownId, groupName: z.string() })),
    async handle(context, { groupName, groupId = randomUUID(), messageId = randomUUID(), message = CREATED, userIds }) {
      const name = await createGroup(context, { groupId, groupName, messageId, message, userIds });
      return { item: { groupId, groupName: name }, data: null };
    },
  });
