import type { Conversation, History, SeenMessage, Send } from './history.ts';

/** A message as the database holds it. */
export interface StoredMessage extends SeenMessage {
  notification: boolean;
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

/** Whether a client saw a message as it is stored. */
export function isSame(seen: SeenMessage, stored: StoredMessage): boolean {
  return (
    seen.content === stored.content &&
    seen.createdAt === stored.createdAt &&
    seen.senderId === stored.senderId &&
    seen.seq === stored.seq &&
    seen.rev === stored.rev
  );
}

/** Where a list of messages first differs from what is stored, for people to read; undefined where it does not. */
export function firstDifference(seen: readonly SeenMessage[], stored: readonly StoredMessage[]): string | undefined {
  for (let index = 0; index < Math.max(seen.length, stored.length); index++) {
    const [one, other] = [seen[index], stored[index]];
    if (one && other && isSame(one, other)) continue;
    return `number ${index + 1} is ${one ? messageText(one) : 'missing'}, stored is ${other ? messageText(other) : 'no more'}`;
  }
  return undefined;
}

export const timeText = (milliseconds: number): string => new Date(milliseconds).toISOString();
const beginning = (content: string): string =>
  JSON.stringify(content.length > 40 ? `${content.slice(0, 40)}… (${content.length})` : content);

/** A message as it was seen or is stored, for people to read. */
export function messageText(message: SeenMessage): string {
  return `message ${message.messageId} (seq ${message.seq}, rev ${message.rev}, of ${message.senderId}, ${timeText(message.createdAt)}, ${beginning(message.content)})`;
}

/** A message as its sender knows it, for people to read. */
export function sendText({ messageId, senderId, content, transmissions }: Send): string {
  return `message ${messageId} (sent by ${senderId}, ${transmissions} times, ${beginning(content)})`;
}
