import { z } from 'zod';
import { groupDropped, groupUpdated, memberRemoved, ownGroupDropped, roleChanged } from '../features/groups/events.ts';
import {
  groupMessage,
  messageDeleted,
  messageEdited,
  messageRead,
  ownGroupMessage,
  ownPrivateMessage,
  privateMessage,
  reactionsChanged,
  userTyping,
} from '../features/messages/events.ts';
import { userStatus } from '../features/presence/presenceStore.ts';

const inGroup = z.union([ownGroupMessage, groupMessage]);

/** Every broadcast, by its type: what its item holds. Those that a connection must ask for are named in `OPT_IN_EVENTS`. */
export const broadcasts = {
  privateMessage: z.union([ownPrivateMessage, privateMessage]),
  messageInGroup: inGroup,
  addUserInGroup: inGroup,
  leaveGroup: inGroup,
  dropGroup: z.union([ownGroupDropped, groupDropped]),
  userStatus,
  catchUp: z.object({}),
  messageRead,
  userTyping,
  messageEdited,
  messageDeleted,
  reactionsChanged,
  groupUpdated,
  memberRemoved,
  roleChanged,
};

export type BroadcastType = keyof typeof broadcasts;
export type BroadcastItem<Type extends BroadcastType> = z.output<(typeof broadcasts)[Type]>;
