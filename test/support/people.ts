import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { dialogId } from '../../src/features/messages/dialogId.ts';
import { query } from './database.ts';
import { newGroup, newUser, type TestUser } from './http.ts';
import { type Answer, connect, type Socket } from './socket.ts';

/** A user who is connected. */
export interface Person extends TestUser {
  socket: Socket;
}

/** What asks for the newest page. */
export const NEWEST = { limit: 100, cursorCreatedAt: null };

/** What asks for a page of each kind, and so whose messages. */
export type PageType = 'listLastMessage' | 'getlatestMessageDialog' | 'getlatestMessageGroup';

export async function newPerson(server: { url: string }, firstName?: string, lastName?: string | null): Promise<Person> {
  const user = await newUser(server, firstName, lastName);
  return { ...user, socket: await connect(server, user) };
}

/** A group of the first person, who then adds the others in their order. */
export async function newCircle(server: { url: string }, [owner, ...others]: [Person, ...Person[]], groupName?: string): Promise<string> {
  const groupId = await newGroup(server, owner, groupName);
  for (const other of others) await add(owner, groupId, other);
  return groupId;
}

export function write({ socket }: Person, { id: receiverId }: { id: string }, content: string, messageId: string = randomUUID()) {
  return socket.ask('privateMessage', { messageId, receiverId, content });
}

/** Without waiting in between: many may be written at once. */
export async function writeMany(from: Person, to: { id: string }, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => write(from, to, String(index))));
}

/** Makes the rows of a dialog in which nothing was ever written. */
export async function addEmptyDialog({ databaseUrl }: { databaseUrl: string }, one: TestUser, other: TestUser): Promise<void> {
  await query(
    databaseUrl,
    `WITH dialog AS (INSERT INTO conversations (id, kind) VALUES ($1, 'dialog') RETURNING id)
     INSERT INTO members (conversation_id, user_id, companion_id)
     SELECT id, user_id, companion_id FROM dialog CROSS JOIN (VALUES ($2::uuid, $3::uuid), ($3, $2)) AS side (user_id, companion_id)`,
    [dialogId(one.id, other.id), one.id, other.id],
  );
}

export function writeToGroup({ socket }: Person, groupId: string, content: string, messageId: string = randomUUID()) {
  return socket.ask('messageInGroup', { messageId, groupId, content });
}

export function add({ socket }: Person, groupId: string, { id: userId }: { id: string }, messageId: string = randomUUID()) {
  return socket.ask('addUserInGroup', { groupId, userId, messageId, message: 'added' });
}

export function leave({ socket }: Person, groupId: string, messageId: string = randomUUID()) {
  return socket.ask('leaveGroup', { groupId, messageId, message: 'left' });
}

export function remove({ socket }: Person, groupId: string, { id: userId }: { id: string }, messageId: string = randomUUID()) {
  return socket.ask('removeUserFromGroup', { groupId, userId, messageId, message: 'removed' });
}

export function setRole({ socket }: Person, groupId: string, { id: userId }: { id: string }, role: string) {
  return socket.ask('setGroupRole', { groupId, userId, role });
}

/** Another connection of the same user, which asked for these events. */
export async function deviceOf(server: { url: string }, person: Person, events: string[] = []): Promise<Person> {
  const device = { ...person, socket: await connect(server, person) };
  await device.socket.ask('subscribe', { events });
  return device;
}

/** The items of all broadcasts that have been sent to a connection by now, of one type or of all. */
export async function heard({ socket }: { socket: Socket }, type?: string): Promise<Answer['params']['item'][]> {
  await socket.settle();
  return socket.broadcasts.filter((frame) => type === undefined || frame.type === type).map(({ params }) => params.item);
}

/** Every row of a list, newest first, read page by page. Fails where a page is empty before the end or never ends. */
export async function readPages({ socket }: { socket: Socket }, type: PageType, of: object, limit: number) {
  const pages: Record<string, unknown>[][] = [];
  for (let cursorCreatedAt: unknown = null; ; ) {
    const rows = await socket.rows(type, { ...of, limit, cursorCreatedAt });
    if (rows.length === 0) return pages;
    pages.push(rows);
    const next = rows.at(-1)?.createdAt;
    if (next === cursorCreatedAt) throw new Error('a page ends where it began');
    cursorCreatedAt = next;
  }
}

/** The same as one list of rows. */
export async function readAll(person: { socket: Socket }, type: PageType, of: object, limit = 100) {
  return (await readPages(person, type, of, limit)).flat();
}

/** A time as the contract writes it. */
export const A_TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** Where the message with this number stands in a conversation in which nothing was changed, as the answer to its sender says. */
export const placeAt = (number: number) => ({ seq: number, rev: number, createdAt: A_TIME });

/** What rows say of a message that was not changed, and answers none. */
export const UNCHANGED = { editedAt: null, deletedAt: null, replyTo: null, reactions: [] };

/** Texts that would do something in SQL, HTML or JSON if anything took them for more than text. */
export const NASTY_TEXTS = [
  "Robert'); DROP TABLE messages;--",
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '$1 $$ :name ? {"a":[1]} \\ " \' %_',
  '{NULL,"x"}',
  'NULL',
  'ё İ ß 👨‍👩‍👧 \u202e',
];
