import type { Env } from '../env.ts';
import { listLastMessage } from '../features/chats/listLastMessage.ts';
import { addUserInGroup } from '../features/groups/addUserInGroup.ts';
import { dropGroup } from '../features/groups/dropGroup.ts';
import { leaveGroup } from '../features/groups/leaveGroup.ts';
import { getMissed } from '../features/messages/getMissed.ts';
import { dialogHistory, groupHistory } from '../features/messages/history.ts';
import { sendPrivate } from '../features/messages/sendPrivate.ts';
import { sendToGroup } from '../features/messages/sendToGroup.ts';
import { unwatchPresence, watchPresence } from '../features/presence/watchPresence.ts';
import { searchMessages } from '../features/search/searchMessages.ts';
import { subscribe } from '../features/subscriptions/subscribe.ts';
import type { Operation } from '../operation.ts';

/** Every request type that the WebSocket knows, by its name on the wire. */
export const operations = (env: Env) => ({
  listLastMessage,
  getlatestMessageDialog: dialogHistory,
  getlatestMessageGroup: groupHistory,
  getMissed,
  privateMessage: sendPrivate(env),
  messageInGroup: sendToGroup(env),
  addUserInGroup: addUserInGroup(env),
  leaveGroup: leaveGroup(env),
  dropGroup,
  searchMessages,
  subscribe,
  watchPresence,
  unwatchPresence,
});

/** The same, to look up what a frame names. */
export function createRegistry(env: Env): ReadonlyMap<string, Operation> {
  return new Map(Object.entries(operations(env)));
}
