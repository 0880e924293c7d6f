import { randomUUID } from 'node:crypto';
import { QueryTypes, type Transaction } from 'sequelize';
import { searchTextOf } from '../src/db/searchText.ts';
import type { Database } from '../src/db/sequelize.ts';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { emailOf, GROUPS, PEOPLE, SENTENCES } from './people.ts';

const DAY = 24 * 3600 * 1000;
const SPREAD = 7 * DAY;
const MESSAGES_PER_GROUP = 90;
const MESSAGES_PER_DIALOG = 25;
/** Everybody talks with as many of those who come next in the list. */
const DIALOGS_PER_USER = 2;
const MAX_ROWS = 1_000;

interface Talk {
  conversation: { id: string; kind: string; name: string | null; searchText: string; creatorId: string | null };
  members: { userId: string; companionId: string | null; role: string }[];
  count: number;
}

/** Makes the demo accounts, all with one password hash, their groups and dialogs, and what was said in the past days. */
export async function seedDemo(
  database: Database,
  passwordHash: string,
  transaction: Transaction,
): Promise<{ users: number; groups: number; messages: number }> {
  const ids: string[] = [];
  for (const [index, [firstName, lastName]] of PEOPLE.entries()) {
    const user = await database.users.create({ firstName, lastName, email: emailOf(index), passwordHash }, { transaction });
    ids.push(user.id);
  }
  let messages = 0;
  for (const talk of [...groupTalks(ids), ...dialogTalks(ids)]) messages += await store(database, talk, transaction);
  // Searches would not find them: what is in the past is indexed already.
  const begin = new Date(Date.now() - SPREAD - 2 * DAY);
  await database.query("SELECT index_messages($1, 'infinity')", { bind: [begin], type: QueryTypes.SELECT, transaction });
  return { users: ids.length, groups: GROUPS.length, messages };
}

/** Stores a talk, and resolves with how much was said. */
async function store(database: Database, { conversation, members, count }: Talk, transaction: Transaction): Promise<number> {
  const { id: conversationId, kind } = conversation;
  const userIds = members.map(({ userId }) => userId);
  const said = speak(conversationId, userIds, count, kind === 'group');
  const sentSeqs = userIds.map((userId) => said.findLast(({ senderId }) => senderId === userId)?.seq ?? 0);
  const state = { lastSeq: count, lastRev: count, lastMessageAt: said.at(-1)?.createdAt, createdAt: said[0]?.createdAt };
  const read = kind === 'group' ? { memberCount: members.length } : dialogMarks(userIds, sentSeqs);
  await database.conversations.create({ ...conversation, ...state, ...read }, { transaction });
  const places = members.map((member, place) => {
    // Some have a little left to read.
    const readSeq = Math.max(sentSeqs[place] ?? 0, count - (place % 4));
    return { ...member, conversationId, joinedAt: said[0]?.createdAt, readSeq };
  });
  await database.members.bulkCreate(places, { transaction });
  for (let start = 0; start < said.length; start += MAX_ROWS)
    await database.messages.bulkCreate(said.slice(start, start + MAX_ROWS), { transaction });
  return said.length;
}

function dialogMarks([one = '', other = '']: string[], sentSeqs: number[]) {
  const [lowerSentSeq, higherSentSeq] = one <= other ? sentSeqs : sentSeqs.toReversed();
  return { lowerSentSeq, higherSentSeq };
}

/** Groups of 3 to 20 people: each begins at another place in the list, the last one holds everybody. */
function groupTalks(ids: string[]): Talk[] {
  return GROUPS.map((name, index) => {
    const size = index === GROUPS.length - 1 ? ids.length : 3 + (index % 8);
    const userIds = Array.from({ length: size }, (_, place) => ids[(index + place * 3) % ids.length] ?? '');
    const members = [...new Set(userIds)].map((userId, place) => ({ userId, companionId: null, role: place === 0 ? 'owner' : 'member' }));
    const conversation = { id: randomUUID(), kind: 'group', name, searchText: searchTextOf([name]), creatorId: userIds[0] ?? null };
    return { conversation, members, count: MESSAGES_PER_GROUP };
  });
}

function dialogTalks(ids: string[]): Talk[] {
  return ids.flatMap((one, index) =>
    Array.from({ length: DIALOGS_PER_USER }, (_, step) => {
      const other = ids[(index + step + 1) % ids.length] ?? one;
      const members = [
        { userId: one, companionId: other, role: 'member' },
        { userId: other, companionId: one, role: 'member' },
      ];
      return {
        conversation: { id: dialogId(one, other), kind: 'dialog', name: null, searchText: '', creatorId: null },
        members,
        count: MESSAGES_PER_DIALOG,
      };
    }),
  );
}

/** What the members say in turn, evenly spread over the past days and up to a moment of the last one that differs from talk to talk. */
function speak(conversationId: string, userIds: string[], count: number, group: boolean) {
  const end = Date.now() - Math.floor(Math.random() * DAY);
  return Array.from({ length: count }, (_, index) => {
    const createdAt = new Date(end - Math.floor((SPREAD * (count - 1 - index)) / count));
    const notification = group && index === 0;
    return {
      conversationId,
      createdAt,
      updatedAt: createdAt,
      id: randomUUID(),
      senderId: userIds[(index * 7) % userIds.length],
      seq: index + 1,
      rev: index + 1,
      notification,
      content: notification ? 'created the group' : SENTENCES[(index * 11 + userIds.length) % SENTENCES.length],
    };
  });
}
