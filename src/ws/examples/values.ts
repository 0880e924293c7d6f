import type { Place } from '../../answers.ts';

/** Ann, who asks in all examples. */
export const ANN = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
/** Bob, with whom she has a dialog, and who is in her group. */
export const BOB = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb';
/** Carol, who is not. */
export const CAROL = 'cccccccc-cccc-4ccc-8ccc-cccccccccccc';
/** Ann's group. */
export const GROUP = 'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee';

/** The messages of the dialog, in their order: Bob's, Ann's, which answers it, and one of Bob's that Ann has not read. */
export const BOBS_MESSAGE = '11111111-1111-4111-8111-111111111111';
export const ANNS_MESSAGE = '22222222-2222-4222-8222-222222222222';
export const UNREAD_MESSAGE = '33333333-3333-4333-8333-333333333333';
/** The last two messages of the group, by Ann: that she has added Bob, and what she wrote then. */
export const ADDITION = '55555555-5555-4555-8555-555555555555';
export const GROUP_MESSAGE = '44444444-4444-4444-8444-444444444444';
/** An id that the client has just made. */
export const NEW_ID = '99999999-9999-4999-8999-999999999999';

export const LATER = '2026-01-31T12:05:00.000Z';
export const NOON = new Date('2026-01-31T12:00:00.000Z');

/** How far the dialog has come: three messages, and then a reaction of Ann's to the first. */
export const LAST_OF_DIALOG = { seq: 3, rev: 4 };
/** The group: three messages. */
export const LAST_OF_GROUP = { seq: 3, rev: 3 };
/** Where a message stands that has just been stored. */
export const NEXT_IN_DIALOG: Place = { seq: 4, rev: 5, createdAt: LATER };
export const NEXT_IN_GROUP: Place = { seq: 4, rev: 4, createdAt: LATER };

/** Of a message that nobody changed, that answers none, and that has no reactions. */
export const UNCHANGED = { editedAt: null, deletedAt: null, replyTo: null, reactions: [] };

/** Ann's reaction. */
export const REACTION = { emoji: '👍', count: 1 };

export const FROM_ANN = { senderId: ANN, senderName: 'Ann', senderLastName: 'Archer' };

/** Bob's message, where another one answers it. */
export const QUOTED = { messageId: BOBS_MESSAGE, senderName: 'Bob', content: 'Lunch?', deleted: false };
