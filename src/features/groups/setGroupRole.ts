import type { Transaction } from 'sequelize';
import { z } from 'zod';
import { one } from '../../answers.ts';
import type { Database } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';
import { operation } from '../../operation.ts';
import { groupTopic } from '../../realtime/topics.ts';
import { id } from '../../schemas.ts';
import { role } from './events.ts';
import { findMember, lockGroup, requireMember } from './membership.ts';
import { announceRole, checkRoleChange, requireAdmin } from './roles.ts';
import { type MemberRow, memberRow } from './rows.ts';

const params = z.strictObject({ groupId: id, userId: id, role });

/** `setGroupRole`: the owner gives any role, also his own, which makes him an admin; an admin makes members admins. */
export const setGroupRole = operation({
  exclusive: true,
  params,
  answer: one(memberRow),
  async handle(context, { groupId, userId, role }) {
    const { userId: myId, services } = context;
    const { database, publisher } = services;
    if (userId === myId) throw new AppError('invalid_params', { issues: [{ path: 'userId', message: 'must be another member' }] });
    const requestCatchUp = () => publisher.requestCatchUp(groupTopic(groupId), myId);
    const give = (transaction: Transaction) => giveRole(database, myId, { groupId, userId, role }, transaction);
    const { isChanged, item } = await database.changeConversation({ conversationId: groupId, userId: myId }, give, requestCatchUp);
    // The same again may be asked for because nobody was told of it the first time.
    if (!isChanged) requestCatchUp();
    else {
      announceRole(context, { groupId, userId, role, hasLeft: false });
      if (role === 'owner') announceRole(context, { groupId, userId: myId, role: 'admin', hasLeft: false });
    }
    return { item, data: null };
  },
});

/** Nothing is changed where the member has the role already: handing over the group may be repeated by who is no owner any more. */
async function giveRole(
  database: Database,
  myId: string,
  { groupId, userId, role }: z.output<typeof params>,
  transaction: Transaction,
): Promise<{ isChanged: boolean; item: MemberRow }> {
  const group = await lockGroup(database, groupId, transaction);
  const me = await requireMember(database, group, myId, transaction);
  requireAdmin(me.role);
  const member = await findMember(database, group, userId, transaction);
  const user = member && (await database.users.findByPk(userId, { transaction }));
  if (!user) throw new AppError('no_such_member');
  const isChanged = member.role !== role;
  if (isChanged) {
    checkRoleChange(me.role, member.role, role);
    await member.update({ role }, { transaction });
    if (role === 'owner') await me.update({ role: 'admin' }, { transaction });
  }
  const { firstName, lastName } = user;
  return { isChanged, item: { userId, firstName, lastName, role, joinedAt: member.joinedAt } };
}
