import type { Database, Statement } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';
import { isCrowd, type NamedConversation } from '../messages/conversation.ts';

const GROUP: Statement = {
  name: 'group_of_typist',
  text: `
  SELECT conversation.member_count AS "memberCount"
  FROM members me
  JOIN conversations conversation ON conversation.id = me.conversation_id
  WHERE me.conversation_id = $1 AND me.user_id = $2 AND me.companion_id IS NULL`,
};

const RECEIVER: Statement = {
  name: 'receiver_of_typist',
  text: 'SELECT 2 AS "memberCount" FROM users WHERE id = $1 AND deleted_at IS NULL',
};

/**
 * Whether the conversation is a crowd. Who may not write in it may not type there either.
 * @throws {AppError} `not_a_member` or `no_such_user`
 */
export async function typesInCrowd(
  database: Database,
  userId: string,
  { conversationId, groupId, companionId }: NamedConversation,
): Promise<boolean> {
  const [found] = await (groupId === null
    ? database.run<{ memberCount: number }>(RECEIVER, [companionId])
    : database.run<{ memberCount: number }>(GROUP, [conversationId, userId]));
  if (!found) throw new AppError(groupId === null ? 'no_such_user' : 'not_a_member');
  return isCrowd(found.memberCount);
}
