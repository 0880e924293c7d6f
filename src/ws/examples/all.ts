import { changeBroadcasts, changeRequests } from './changes.ts';
import { chatRequests } from './chats.ts';
import { eventBroadcasts, eventRequests } from './events.ts';
import type { BroadcastExamples, RequestExamples } from './example.ts';
import { groupBroadcasts, groupRequests } from './groups.ts';
import { messageBroadcasts, messageRequests } from './messages.ts';

/** An example of each request and its answer, by its type. */
export const requestExamples: RequestExamples = {
  ...chatRequests,
  ...messageRequests,
  ...changeRequests,
  ...groupRequests,
  ...eventRequests,
};

/** An example of each broadcast, by its type. */
export const broadcastExamples: BroadcastExamples = { ...messageBroadcasts, ...changeBroadcasts, ...groupBroadcasts, ...eventBroadcasts };
