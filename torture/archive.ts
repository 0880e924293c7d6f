import { type Conversation, type History, reactionsText, type SeenMessage, type Send } from './history.ts';

/** A message as the database holds it. */
export interface StoredMessage extends Omit<SeenMessage, 'replyTo' | 'reactions'> {
  notification: boolean;
  replyToId: string | null;
  /** In the order in which they are shown. */
  reactions: { emoji: string; count: number }[];
  reactors: { userId: string; emoji: string }[];
}

/** A conversation as the database holds it, its messages by `seq`. */
export interface StoredConversation {
  id: string;
  lastSeq: number;
  lastRev: number;
  lastMessageAt: number;
  messages: StoredMessage[];
}

/** A conversation of the history beside what is stored of it. */
export interface Archived {
  conversation: Conversation;
  stored: StoredConversation;
  byId: ReadonlyMap<string, StoredMessage>;
}

/** What clients did and saw, beside what is stored: the conversations by id. */
export interface Archive {
  history: History;
  conversations: ReadonlyMap<string, Archived>;
}

/** Puts the two beside each other. A conversation that is not stored counts as an empty one. */
export function archive(history: History, stored: StoredConversation[]): Archive {
  const storedById = new Map(stored.map((conversation) => [conversation.id, conversation]));
  const conversations = new Map<string, Archived>();
  for (const conversation of history.conversations.values()) {
    const { id } = conversation;
    const found = storedById.get(id) ?? { id, lastSeq: 0, lastRev: 0, lastMessageAt: 0, messages: [] };
    const byId = new Map(found.messages.map((message) => [message.messageId, message]));
    conversations.set(id, { conversation, stored: found, byId });
  }
  return { history, conversations };
}

/** Whether this user saw a message as it is stored. What it answers may have been changed since, without a `rev` of this message. */
export function isSame(seen: SeenMessage, stored: StoredMessage, userId: string): boolean {
  return (
    isSameOne(seen, stored) &&
    seen.content === stored.content &&
    seen.editedAt === stored.editedAt &&
    seen.deletedAt === stored.deletedAt &&
    seen.reactions === reactionsOf(stored, userId) &&
    seen.rev === stored.rev
  );
}

/** Whether this user saw a message as it is stored, or as it was before it was changed. */
export function wasSame({ sends, changes }: History, seen: SeenMessage, stored: StoredMessage, userId: string): boolean {
  if (seen.rev >= stored.rev) return isSame(seen, stored, userId);
  const { messageId, content, deletedAt } = seen;
  const deeds = changes.get(messageId)?.map(({ deed }) => deed) ?? [];
  const texts = [sends.get(messageId)?.content, ...deeds.map((deed) => (deed.kind === 'edit' ? deed.content : undefined))];
  return isSameOne(seen, stored) && deeds.length > 0 && (deletedAt === null ? texts.includes(content) : content === '');
}

function isSameOne(seen: SeenMessage, stored: StoredMessage): boolean {
  return (
    seen.messageId === stored.messageId &&
    seen.createdAt === stored.createdAt &&
    seen.senderId === stored.senderId &&
    seen.seq === stored.seq &&
    (seen.replyTo?.messageId ?? null) === stored.replyToId
  );
}

/** The reactions to a stored message, in words, as this user sees them. */
function reactionsOf({ reactions, reactors }: StoredMessage, userId: string): string {
  const isMine = (emoji: string) => reactors.some((one) => one.userId === userId && one.emoji === emoji);
  return reactionsText(reactions.map(({ emoji, count }) => ({ emoji, count, mine: isMine(emoji) })));
}

/** Where a list of messages, as this user saw them, first differs from what is stored, for people to read; undefined where it does not. */
export function firstDifference(seen: readonly SeenMessage[], stored: readonly StoredMessage[], userId: string): string | undefined {
  for (let index = 0; index < Math.max(seen.length, stored.length); index++) {
    const [one, other] = [seen[index], stored[index]];
    if (one && other && isSame(one, other, userId)) continue;
    return `number ${index + 1} is ${one ? messageText(one) : 'missing'}, stored is ${other ? storedText(other, userId) : 'no more'}`;
  }
  return undefined;
}

export const timeText = (milliseconds: number): string => new Date(milliseconds).toISOString();
const beginning = (content: string): string =>
  JSON.stringify(content.length > 40 ? `${content.slice(0, 40)}… (${content.length})` : content);

/** A message as it was seen, for people to read. */
export function messageText({ replyTo, reactions, ...message }: SeenMessage): string {
  return textOf(message, replyTo?.messageId ?? null, reactions);
}

/** A message as it is stored, for people to read; its reactions as they are shown to this user. */
export function storedText(message: StoredMessage, userId = ''): string {
  return textOf(message, message.replyToId, reactionsOf(message, userId));
}

function textOf(message: Omit<SeenMessage, 'replyTo' | 'reactions'>, replyToId: string | null, reactions: string): string {
  const { messageId, senderId, createdAt, editedAt, deletedAt, content, seq, rev } = message;
  const place = `seq ${seq}, rev ${rev}, of ${senderId}, ${timeText(createdAt)}`;
  const changes = [
    editedAt !== null && `, edited ${timeText(editedAt)}`,
    deletedAt !== null && `, deleted ${timeText(deletedAt)}`,
    replyToId !== null && `, answers ${replyToId}`,
    reactions && `, ${reactions}`,
  ];
  return `message ${messageId} (${place}, ${beginning(content)}${changes.filter(Boolean).join('')})`;
}

/** A message as its sender knows it, for people to read. */
export function sendText({ messageId, senderId, content, transmissions }: Send): string {
  return `message ${messageId} (sent by ${senderId}, ${transmissions} times, ${beginning(content)})`;
}
