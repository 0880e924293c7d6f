import { z } from 'zod';

/** A stored message. */
export interface Stored {
  messageId: string;
  senderId: string;
  content: string;
  createdAt: string;
  seq: number;
  rev: number;
  replyToId: string | null;
  editedAt: string | null;
  deletedAt: string | null;
  reactors: { userId: string; emoji: string }[];
}

/** What is done to a stored message, by the type of the event that tells of it. */
export type Deed =
  | { type: 'messageEdited'; content: string }
  | { type: 'messageDeleted' }
  | { type: 'reactionsChanged'; userId: string; emoji: string; isAdded: boolean };

const change = z.object({ messageId: z.string(), content: z.string().default(''), emoji: z.string().default('') });

/** The message that a request of this user changes, and how; undefined when it is another request. */
export function deedOf(type: string, params: unknown, userId: string): { messageId: string; deed: Deed } | undefined {
  const { messageId, content, emoji } = change.safeParse(params).data ?? {};
  if (messageId === undefined || content === undefined || emoji === undefined) return undefined;
  const deeds: Record<string, Deed> = {
    editMessage: { type: 'messageEdited', content },
    deleteMessage: { type: 'messageDeleted' },
    addReaction: { type: 'reactionsChanged', userId, emoji, isAdded: true },
    removeReaction: { type: 'reactionsChanged', userId, emoji, isAdded: false },
  };
  const deed = deeds[type];
  return deed && { messageId, deed };
}

/** Does it. Returns what is told of it, beside where the message stands. */
export function doTo(stored: Stored, deed: Deed, now: string): object {
  if (deed.type === 'messageEdited') {
    Object.assign(stored, { content: deed.content, editedAt: now });
    return { content: deed.content, editedAt: now };
  }
  if (deed.type === 'messageDeleted') {
    Object.assign(stored, { content: '', deletedAt: now, reactors: [] });
    return { deletedAt: now };
  }
  const { userId, emoji, isAdded } = deed;
  stored.reactors = stored.reactors.filter((one) => one.userId !== userId || one.emoji !== emoji);
  if (isAdded) stored.reactors.push({ userId, emoji });
  return { userId, emoji, isAdded, reactions: reactionsTo(stored.reactors, userId).map(({ emoji, count }) => ({ emoji, count })) };
}

/** A message, as a user sees it among the others of its conversation. */
export function shown({ replyToId, reactors, ...message }: Stored, messages: Stored[], userId: string) {
  const quoted = messages.find(({ messageId }) => messageId === replyToId);
  const replyTo = quoted
    ? { messageId: quoted.messageId, senderName: 'Somebody', content: quoted.content, deleted: quoted.deletedAt !== null }
    : null;
  return { ...message, replyTo, reactions: reactionsTo(reactors, userId) };
}

function reactionsTo(reactors: Stored['reactors'], userId: string) {
  const emojis = [...new Set(reactors.map(({ emoji }) => emoji))];
  return emojis.map((emoji) => {
    const givers = reactors.filter((one) => one.emoji === emoji);
    return { emoji, count: givers.length, mine: givers.some((one) => one.userId === userId) };
  });
}
