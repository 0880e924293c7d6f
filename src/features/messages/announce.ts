import type { Context } from '../../operation.ts';
import type { OptInEvent } from '../../realtime/optInEvents.ts';
import { groupTopic, userTopic } from '../../realtime/topics.ts';
import type { BroadcastItem, BroadcastType } from '../../ws/broadcasts.ts';
import type { Address } from './conversation.ts';

/** Events that name a conversation. */
export type ConversationEvent = Extract<BroadcastType & OptInEvent, Exclude<OptInEvent, 'userStatus' | 'catchUp' | 'ownMessages'>>;

/**
 * Tells everybody in the conversation who asked for the event, the user's own other devices included but not the connection that
 * did it; each is told the conversation's name as they know it. What is hidden from the other person of a dialog is not told there.
 */
export function announce<Event extends ConversationEvent>(
  { userId, connection, services: { publisher } }: Context,
  { companionId, groupId }: Address,
  event: Event,
  tell: (address: Address) => BroadcastItem<Event>,
  isHidden = false,
): void {
  const exceptions = { exceptConnectionId: connection?.id };
  if (groupId !== null) {
    publisher.publish(groupTopic(groupId), event, tell({ companionId: null, groupId }), exceptions);
    return;
  }
  if (companionId !== userId && !isHidden) {
    publisher.publish(userTopic(companionId), event, tell({ companionId: userId, groupId: null }));
  }
  publisher.publish(userTopic(userId), event, tell({ companionId, groupId: null }), exceptions);
}
