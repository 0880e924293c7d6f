import { z } from 'zod';
import { one } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { id } from '../../schemas.ts';
import { groupDropped } from './events.ts';
import { changeGroup, requireMember } from './membership.ts';

/** `dropGroup`: the owner ends the group for everyone. */
export const dropGroup = operation({
  exclusive: true,
  params: z.strictObject({ groupId: id }),
  answer: one(groupDropped),
  async handle(context, { groupId }) {
    const { userId, connection, services } = context;
    const { database, publisher } = services;
    await changeGroup(context, { groupId, userId }, async (group, transaction) => {
      const { role } = await requireMember(database, group, userId, transaction);
      if (role !== 'owner') throw new AppError('not_the_owner');
      await database.members.destroy({ where: { conversationId: groupId }, transaction });
      await group.update({ deletedAt: new Date(), memberCount: 0 }, { transaction });
    });
    const item = { groupId };
    publisher.publish(groupTopic(groupId), 'dropGroup', item, { exceptUserIds: [userId] });
    publisher.dropGroup(groupId);
    publisher.publishOwn(userId, connection, 'dropGroup', () => ({ ...item, companionId: null }));
    return { item, data: null };
  },
});
