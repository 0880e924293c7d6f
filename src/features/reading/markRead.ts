import { z } from 'zod';
import { one } from '../../answers.ts';
import { AppError } from '../../errors.ts';
import { type Context, operation } from '../../operation.ts';
import { userTopic } from '../../realtime/topics.ts';
import { id } from '../../schemas.ts';
import { unreadCount } from '../chats/rows.ts';
import { announce } from '../messages/announce.ts';
import { type Address, conversationName, conversationOf, isLargeGroup } from '../messages/conversation.ts';
import { type Reading, setReadMark } from './queries.ts';

/** `markRead`: I have read this message and all before it. */
export const markRead = operation({
  inTurn: true,
  params: conversationName.safeExtend({ messageId: id.describe('The last message that I have read') }),
  answer: one(z.object({ unreadCount })),
  async handle(context, { messageId, ...name }) {
    const conversation = conversationOf(context.userId, name);
    const reading = await setReadMark(context.services.database, context.userId, conversation, messageId);
    if (reading === undefined && conversation.kind === 'group') throw new AppError('not_a_member');
    if (!reading) throw new AppError('no_such_message');
    if (reading.isNews) tell(context, conversation, messageId, reading);
    return { item: { unreadCount: reading.unreadCount }, data: null };
  },
});

/** Tells the others and my own other devices; in a large group, of the others only who wrote the message. */
function tell(context: Context, address: Address, messageId: string, { seq, readAt, memberCount, isHidden, senderId }: Reading): void {
  const { userId: readerId, connection, services } = context;
  const itemFor = ({ companionId, groupId }: Address) => ({ companionId, groupId, readerId, messageId, seq, readAt });
  if (!isLargeGroup(memberCount)) {
    announce(context, address, 'messageRead', itemFor, isHidden);
    return;
  }
  const item = itemFor(address);
  if (senderId !== null && senderId !== readerId) services.publisher.publish(userTopic(senderId), 'messageRead', item);
  services.publisher.publish(userTopic(readerId), 'messageRead', item, { exceptConnectionId: connection?.id });
}
