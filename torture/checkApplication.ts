import { type Archive, firstDifference } from './archive.ts';
import type { Conversation, SeenMessage, Send } from './history.ts';
import type { Verdict } from './verdict.ts';

/** What the application on a client library has, and what it sent, in that order. */
export interface SeenApplication {
  userId: string;
  messagesOf(conversationId: string): readonly SeenMessage[];
  conversations: Conversation[];
  sends: Send[];
}

/** An application on the client library ends with exactly what is stored, and what it sent has its order. */
export function checkApplication(archive: Archive, application: SeenApplication, verdict: Verdict): void {
  const { userId, conversations, sends } = application;
  for (const { id } of conversations) {
    const stored = archive.conversations.get(id)?.stored.messages ?? [];
    const kept = application.messagesOf(id);
    const wrong = firstDifference(kept, stored, userId);
    verdict.check(
      'an application on the client library ends with what is stored',
      wrong === undefined,
      () => `conversation ${id}: the application of ${userId} has ${kept.length} of ${stored.length}; ${wrong}`,
    );
  }
  const latest = new Map<Conversation, number>();
  for (const { conversation, messageId } of sends) {
    const seq = archive.conversations.get(conversation.id)?.byId.get(messageId)?.seq;
    if (seq === undefined) continue;
    const before = latest.get(conversation) ?? 0;
    verdict.check(
      'what the client library sends into a conversation is stored in the order in which it was given',
      before < seq,
      () => `conversation ${conversation.id}: message ${messageId} of ${userId} is number ${seq}, the one before it ${before}`,
    );
    latest.set(conversation, seq);
  }
}
