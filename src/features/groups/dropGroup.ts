import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/hub.ts';
import { id } from '../../schemas.ts';
import { changeGroup } from './membership.ts';

/** `dropGroup`: the owner ends the group for everyone. */
export const dropGroup = operation({
  exclusive: true,
  params: z.strictObject({ groupId: id }),
  async handle({ userId, services }, { groupId }) {
    const { database, hub } = services;
    const members = await changeGroup(services, { groupId, userId }, async (group, transaction) => {
      const where = { conversationId: groupId };
      const members = await database.members.findAll({ where, transaction });
      const me = members.find((member) => member.userId === userId);
      if (!me) throw new AppError('not_a_member');
      if (me.role !== 'owner') throw new AppError('not_the_owner');
      await database.members.destroy({ where, transaction });
      await group.update({ deletedAt: new Date() }, { transaction });
      return members;
    });
    hub.publish(groupTopic(groupId), 'dropGroup', { groupId }, userId);
    for (const member of members) hub.leaveGroup(member.userId, groupId);
    return { item: { groupId }, data: null };
  },
});
