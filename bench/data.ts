import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { searchTextOf } from '../src/db/searchText.ts';
import { dialogId } from '../src/features/messages/dialogId.ts';

/** Rows that one statement carries as parameters. */
const CHUNK = 20_000;
/** A word of half of all messages, and one of a message in the middle of each of the first conversations that are written together. */
export const COMMON_WORD = 'many';
export const RARE_WORD = 'uixot';
const RARE_COUNT = 20;
/** What was said is spread over so many milliseconds before now. */
const SPREAD = 30 * 24 * 3600 * 1000;

/** Somebody in the data, who cannot log in. */
export interface NewPerson {
  firstName: string;
  lastName: string;
  email: string;
}

/** A conversation to be filled. The first two members speak in turn; the first one owns a group. */
export interface NewConversation {
  id: string;
  kind: 'dialog' | 'group';
  memberIds: [string, string, ...string[]];
}

/** A dialog of two people, under the id that the server derives. */
export function dialogOf(oneId: string, otherId: string): NewConversation {
  return { id: dialogId(oneId, otherId), kind: 'dialog', memberIds: [oneId, otherId] };
}

/** A group of these people. */
export function groupOf(memberIds: [string, string, ...string[]]): NewConversation {
  return { id: randomUUID(), kind: 'group', memberIds };
}

/** Writes people, and returns their ids in the same order. */
export async function addPeople(client: pg.Client, people: NewPerson[]): Promise<string[]> {
  const ids = people.map(() => randomUUID());
  for (let from = 0; from < people.length; from += CHUNK) {
    const some = people.slice(from, from + CHUNK);
    await client.query(
      `INSERT INTO users (id, email, first_name, last_name, password_hash, search_text, created_at, updated_at)
       SELECT id, email, first_name, last_name, 'no password', search_text, now(), now()
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS person (id, email, first_name, last_name, search_text)`,
      [
        ids.slice(from, from + CHUNK),
        some.map(({ email }) => email),
        some.map(({ firstName }) => firstName),
        some.map(({ lastName }) => lastName),
        some.map(({ firstName, lastName, email }) => searchTextOf([`${firstName} ${lastName}`, firstName, lastName, email])),
      ],
    );
  }
  return ids;
}

/** People of whom nothing matters but that they are there; returns their ids. */
export function addStrangers(client: pg.Client, count: number): Promise<string[]> {
  const strangers = Array.from({ length: count }, () => ({ firstName: 'Some', lastName: 'Body', email: `${randomUUID()}@example.com` }));
  return addPeople(client, strangers);
}

/**
 * When the message at `seq` was sent. All conversations that are written together speak in turn, evenly spread, up to now:
 * so times are strictly increasing within each, and pages of the table hold many conversations, as in life.
 */
const sentAt = (seq: string): string =>
  `now_is - ((messages_each - ${seq}) * conversation_count + (conversation_count - position)) * step * interval '1 ms'`;

const INPUT = `
  SELECT given.*, $7::timestamptz AS now_is, $8::bigint AS messages_each, $9::bigint AS conversation_count, $10::bigint AS step
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[]) WITH ORDINALITY
    AS given (id, kind, name, search_text, first_id, second_id, position)`;

const CONVERSATIONS = `
  INSERT INTO conversations (id, kind, name, search_text, creator_id, last_seq, last_rev, last_message_at)
  SELECT id, kind, name, search_text, CASE WHEN kind = 'group' THEN first_id END, messages_each, messages_each, ${sentAt('messages_each')}
  FROM (${INPUT}) input`;

const IS_RARE = `(position <= ${RARE_COUNT} AND seq = messages_each / 2 + 1)`;

const MESSAGES = `
  INSERT INTO messages (conversation_id, created_at, id, sender_id, seq, rev, notification, content, updated_at)
  SELECT id, ${sentAt('seq')}, gen_random_uuid(), CASE seq % 2 WHEN 1 THEN first_id ELSE second_id END, seq, seq, false,
    'Number ' || seq || CASE WHEN (seq + position) % 2 = 1 OR ${IS_RARE} THEN ' ${COMMON_WORD}' ELSE '' END
      || repeat(' and so on', (seq % 8)::int) || CASE WHEN ${IS_RARE} THEN ' ${RARE_WORD}' ELSE '' END,
    ${sentAt('seq')}
  FROM generate_series(1, $8::bigint) AS seq CROSS JOIN (${INPUT}) input`;

const MEMBERS = `
  INSERT INTO members (conversation_id, user_id, companion_id, role)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[])`;

/** Writes conversations with `messagesEach` messages in each. */
export async function addConversations(client: pg.Client, conversations: NewConversation[], messagesEach: number): Promise<void> {
  const names = conversations.map(({ kind }, index) => (kind === 'group' ? `Circle ${index}` : null));
  const input = [
    conversations.map(({ id }) => id),
    conversations.map(({ kind }) => kind),
    names,
    names.map((name) => (name ? searchTextOf([name]) : '')),
    conversations.map(({ memberIds }) => memberIds[0]),
    conversations.map(({ memberIds }) => memberIds[1]),
    new Date(),
    messagesEach,
    conversations.length,
    Math.max(1, Math.floor(SPREAD / (messagesEach * conversations.length))),
  ];
  await client.query(CONVERSATIONS, input);
  await client.query(MESSAGES, input);
  const members = conversations.flatMap(({ id, kind, memberIds }) =>
    memberIds.map((userId, place) => ({
      id,
      userId,
      companionId: kind === 'dialog' ? memberIds[1 - place] : null,
      role: kind === 'group' && place === 0 ? 'owner' : 'member',
    })),
  );
  for (let from = 0; from < members.length; from += CHUNK) {
    const some = members.slice(from, from + CHUNK);
    await client.query(MEMBERS, [
      some.map(({ id }) => id),
      some.map(({ userId }) => userId),
      some.map(({ companionId }) => companionId),
      some.map(({ role }) => role),
    ]);
  }
}

/** Leaves the tables as a database that has been running for a while has them: counted, and with nothing left for autovacuum to do. */
export async function settle(client: pg.Client): Promise<void> {
  await client.query('VACUUM (ANALYZE) users, conversations, members, messages, reactions');
}

/** Makes all messages known to the index of their words, and leaves its tables as `settle` does. */
export async function indexMessages(client: pg.Client): Promise<void> {
  await client.query("SELECT index_messages('-infinity', 'infinity')");
  await client.query('VACUUM (ANALYZE) searched_messages');
}

/** What 20 people of a crowd have inside their last name. */
export const RARE_TERM = 'uixot';
/** What half of a crowd have as a word inside their e-mail. */
export const COMMON_TERM = 'mail';

const SYLLABLES = [
  'ba',
  'ce',
  'di',
  'fo',
  'gu',
  'han',
  'jel',
  'kir',
  'lom',
  'mun',
  'na',
  'pe',
  'ri',
  'so',
  'tu',
  'van',
  'wes',
  'yor',
  'zin',
  'dra',
];

/** A name that few others have: its syllables are the digits of a number that runs through all of them in no visible order. */
function nameOf(number: number, syllables: number): string {
  let rest = (number * 7919) % SYLLABLES.length ** syllables;
  let name = '';
  for (let place = 0; place < syllables; place++) {
    name += SYLLABLES[rest % SYLLABLES.length];
    rest = Math.floor(rest / SYLLABLES.length);
  }
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** `count` different people, at least 40: `RARE_TERM` matches 20 of them, spread evenly, and `COMMON_TERM` half of them. */
export function crowd(count: number): NewPerson[] {
  const every = Math.floor(count / 20);
  // No address is taken when a database that holds a crowd gets another.
  const tag = randomUUID().slice(0, 8);
  return Array.from({ length: count }, (_, index) => {
    const firstName = nameOf(index, 2);
    const lastName = index % every === 0 && index / every < 20 ? `Don${RARE_TERM}e` : nameOf(index, 4);
    const host = index % 2 ? 'mail.example.com' : 'post.example.org';
    return { firstName, lastName, email: `${firstName}.${lastName}.${tag}.${index}@${host}`.toLowerCase() };
  });
}
