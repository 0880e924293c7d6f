import type { Env } from '../env.ts';
import { listLastMessage } from '../features/chats/listLastMessage.ts';
import { updateChat } from '../features/chats/updateChat.ts';
import { addUserInGroup } from '../features/groups/addUserInGroup.ts';
import { dropGroup } from '../features/groups/dropGroup.ts';
import { getGroupMembers } from '../features/groups/getGroupMembers.ts';
import { leaveGroup } from '../features/groups/leaveGroup.ts';
import { newGroup } from '../features/groups/newGroup.ts';
import { removeUserFromGroup } from '../features/groups/removeUserFromGroup.ts';
import { setGroupRole } from '../features/groups/setGroupRole.ts';
import { updateGroup } from '../features/groups/updateGroup.ts';
import { deleteMessage } from '../features/messages/deleteMessage.ts';
import { editMessage } from '../features/messages/editMessage.ts';
import { getMissed } from '../features/messages/getMissed.ts';
import { dialogHistory, groupHistory } from '../features/messages/history.ts';
import { sendPrivate } from '../features/messages/sendPrivate.ts';
import { sendToGroup } from '../features/messages/sendToGroup.ts';
import { unwatchPresence, watchPresence } from '../features/presence/watchPresence.ts';
import { addReaction, removeReaction } from '../features/reactions/react.ts';
import { markRead } from '../features/reading/markRead.ts';
import { searchMessages } from '../features/search/searchMessages.ts';
import { subscribe } from '../features/subscriptions/subscribe.ts';
import { startTyping, stopTyping } from '../features/typing/typing.ts';
import type { Operation } from '../operation.ts';

/** Every request type that the WebSocket knows, by its name on the wire. */
export const operations = (env: Env) => ({
  listLastMessage,
  getlatestMessageDialog: dialogHistory,
  getlatestMessageGroup: groupHistory,
  getMissed,
  privateMessage: sendPrivate(env),
  messageInGroup: sendToGroup(env),
  editMessage: editMessage(env),
  deleteMessage,
  addReaction,
  removeReaction,
  addUserInGroup: addUserInGroup(env),
  leaveGroup: leaveGroup(env),
  dropGroup,
  newGroup: newGroup(env),
  updateGroup,
  removeUserFromGroup: removeUserFromGroup(env),
  setGroupRole,
  getGroupMembers,
  searchMessages,
  subscribe,
  watchPresence,
  unwatchPresence,
  markRead,
  startTyping,
  stopTyping,
  updateChat,
});

/** The same, to look up what a frame names. */
export function createRegistry(env: Env): ReadonlyMap<string, Operation> {
  return new Map(Object.entries(operations(env)));
}
