import type { Database, Statement } from '../../db/sequelize.ts';
import { AppError } from '../../errors.ts';
import type { NamedConversation } from '../messages/conversation.ts';

/** What is returned of a conversation in which the user may type. */
interface Row {
  memberCount: number;
  /** Whether the user's account is not deleted: who deletes it leaves groups, but not dialogs. */
  isActive: boolean;
}

const GROUP: Statement = {
  name: 'group_of_typist',
  text: `
  SELECT conversation.member_count AS "memberCount", true AS "isActive"
  FROM members me
  JOIN conversations conversation ON conversation.id = me.conversation_id
  WHERE me.conversation_id = $1 AND me.user_id = $2 AND me.companion_id IS NULL`,
};

const RECEIVER: Statement = {
  name: 'receiver_of_typist',
  text: `
  SELECT 2 AS "memberCount", EXISTS (SELECT FROM users WHERE id = $2 AND deleted_at IS NULL) AS "isActive"
  FROM users WHERE id = $1 AND deleted_at IS NULL`,
};

/**
 * Who may not write in the conversation may not type there either. Resolves with how many are in it.
 * @throws {AppError} `not_a_member`, `no_such_user`, or `unauthorized` when the user's account is deleted
 */
export async function requireTypist(
  database: Database,
  userId: string,
  { conversationId, groupId, companionId }: NamedConversation,
): Promise<number> {
  const [found] = await (groupId === null
    ? database.run<Row>(RECEIVER, [companionId, userId])
    : database.run<Row>(GROUP, [conversationId, userId]));
  if (!found) throw new AppError(groupId === null ? 'no_such_user' : 'not_a_member');
  if (!found.isActive) throw new AppError('unauthorized');
  return found.memberCount;
}
