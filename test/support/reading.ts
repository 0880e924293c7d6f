import { randomUUID } from 'node:crypto';
import { NEWEST, newPerson, type Person, write, writeToGroup } from './people.ts';
import { connect } from './socket.ts';

/** How a conversation is named in a request. */
export type Name = { receiverId: string } | { groupId: string };

const subscribe = ({ socket }: Person) => socket.ask('subscribe', { events: ['messageRead'] });

/** Somebody who wants to know what others read. */
export async function newReader(server: { url: string }): Promise<Person> {
  const person = await newPerson(server);
  await subscribe(person);
  return person;
}

/** Another connection of the same person, which asked for the event too. */
export async function deviceOf(person: Person, server: { url: string }): Promise<Person> {
  const device = { ...person, socket: await connect(server, person) };
  await subscribe(device);
  return device;
}

/** Reads up to a message; returns what is left. */
export const read = async ({ socket }: Person, name: Name, messageId: string) =>
  (await socket.ask('markRead', { ...name, messageId })).item;

/** Writes a message and returns its id. */
export async function said(from: Person, to: { id: string } | string): Promise<string> {
  const messageId = randomUUID();
  await (typeof to === 'string' ? writeToGroup(from, to, 'Hello', messageId) : write(from, to, 'Hello', messageId));
  return messageId;
}

/** The row of the person's chat list for a conversation. */
export async function chat({ socket }: Person, name: Name): Promise<Record<string, unknown> | undefined> {
  const rows = await socket.rows('listLastMessage', NEWEST);
  return rows.find(({ groupId, senderId, receiverId }) =>
    'groupId' in name ? groupId === name.groupId : groupId === null && [senderId, receiverId].includes(name.receiverId),
  );
}
