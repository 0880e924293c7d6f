import type { Transaction } from 'sequelize';
import { z } from 'zod';
import { one } from '../../answers.ts';
import { searchTextOf } from '../../db/searchText.ts';
import { operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { groupDescription, groupName, id } from '../../schemas.ts';
import { announce } from '../messages/announce.ts';
import { lockGroup, requireMember } from './membership.ts';
import { requireAdmin } from './roles.ts';
import { groupDetails, groupDetailsOf } from './rows.ts';

/** What of a group may be changed, and at least one of it. */
export const groupChange = z
  .strictObject({ groupId: id, groupName: groupName.optional(), description: groupDescription.optional() })
  .refine(
    ({ groupName, description }) => groupName !== undefined || description !== undefined,
    'must have a groupName or a description, or both',
  );

/** `updateGroup`: the owner or an admin gives the group another name or description. */
export const updateGroup = operation({
  exclusive: true,
  params: groupChange,
  answer: one(groupDetails),
  async handle(context, { groupId, groupName: name, description }) {
    const { userId, services } = context;
    const { database, publisher } = services;
    const update = async (transaction: Transaction) => {
      const group = await lockGroup(database, groupId, transaction);
      const me = await requireMember(database, group, userId, transaction);
      requireAdmin(me.role);
      if (name !== undefined) group.set({ name, searchText: searchTextOf([name]) });
      if (description !== undefined) group.set({ description });
      const isChanged = group.changed() !== false;
      await group.save({ transaction });
      return { isChanged, item: groupDetailsOf(group, me) };
    };
    const requestCatchUp = () => publisher.requestCatchUp(groupTopic(groupId), userId);
    const { isChanged, item } = await database.changeConversation({ conversationId: groupId, userId }, update, requestCatchUp);
    // The same again may be asked for because nobody was told of it the first time.
    if (!isChanged) requestCatchUp();
    else {
      const change = { groupName: item.groupName, description: item.description, updatedBy: userId };
      announce(context, { companionId: null, groupId }, 'groupUpdated', (address) => ({ ...address, ...change }));
    }
    return { item, data: null };
  },
});
