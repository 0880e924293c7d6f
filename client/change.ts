import type { Place } from '../src/answers.ts';
import { type Conversation, type Message, UNCHANGED } from './message.ts';
import type { Draft } from './outbox.ts';
import type { ChangeFrame, Reaction, ReactionsChanged } from './wire.ts';

/** What happened to a message: it takes the next `rev` of the conversation, as the message itself took one. */
export interface Change extends Conversation {
  messageId: string;
  rev: number;
  /**
   * The message after it. `known` is the message before it, where that was given lately, and `lastSeq` the highest `seq` before it.
   * Undefined when they do not tell: then it is to be asked for.
   */
  apply(known: Message | undefined, lastSeq: number): Message | undefined;
}

/** A message was stored just now. */
export const stored = (message: Message): Change => ({ ...message, apply: () => message });

/**
 * A message of this client was acknowledged. It is as it was sent, unless it had been stored before, and may have been changed since;
 * and the server alone shows what it answers.
 */
export function acknowledged({ replyToId, ...draft }: Draft, place: Place, senderId: string): Change {
  const sender = { senderId, senderName: null, senderLastName: null, groupName: null };
  const message = { ...draft, ...sender, notification: false, ...UNCHANGED, replyTo: null, ...place };
  return { ...message, apply: (_known, lastSeq) => (replyToId === null && place.seq > lastSeq ? message : undefined) };
}

/** Something of which no more is known than that it happened. */
export const unknown = (change: Omit<Change, 'apply'>): Change => ({ ...change, apply: () => undefined });

/** A message was changed, by somebody else or on another connection of this user. */
export function changed(frame: ChangeFrame, userId: string): Change {
  const { companionId, groupId, messageId, rev } = frame.params.item;
  const apply = (known: Message | undefined) => known && { ...known, ...changesOf(frame, known.reactions, userId), rev };
  return { companionId, groupId, messageId, rev, apply };
}

function changesOf(frame: ChangeFrame, reactions: Reaction[], userId: string): Partial<Message> {
  switch (frame.type) {
    case 'messageEdited': {
      const { content, editedAt } = frame.params.item;
      return { content, editedAt };
    }
    case 'messageDeleted':
      return { content: '', deletedAt: frame.params.item.deletedAt, reactions: [] };
    case 'reactionsChanged':
      return { reactions: reactionsAfter(frame.params.item, reactions, userId) };
  }
}

/** The event is the same for all: which of them are the user's own is known from before, but for the one that it tells of. */
function reactionsAfter(item: ReactionsChanged, before: Reaction[], userId: string): Reaction[] {
  const wasMine = (emoji: string) => before.some((reaction) => reaction.emoji === emoji && reaction.mine);
  const isMine = (emoji: string) => (item.userId === userId && item.emoji === emoji ? item.isAdded : wasMine(emoji));
  return item.reactions.map(({ emoji, count }) => ({ emoji, count, mine: isMine(emoji) }));
}
