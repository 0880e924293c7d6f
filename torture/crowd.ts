import { createAccounts } from '../bench/accounts.ts';
import type { Account } from '../bench/client.ts';
import { createGroup } from '../bench/groups.ts';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { Client } from './client.ts';
import { Device } from './device.ts';
import type { Conversation } from './history.ts';
import type { Random } from './random.ts';
import type { Run } from './run.ts';

const USERS = 24;
/** With whom each user has a dialog: those so many places further on. */
const DISTANCES = [1, 5];
const GROUPS = 6;
const MEMBERS_OF_GROUP = 8;
const MOST_CLIENTS = 3;
/** Of so many users one has a device with the client library too. */
const USERS_PER_DEVICE = 3;

/** Those who write during a run. */
export interface Crowd {
  /** Of each user at least one. */
  clients: Client[];
  devices: Device[];
}

/** Makes the users, their conversations, from one to three clients of each, and a device with the client library of some. */
export async function gather(run: Run, random: Random): Promise<Crowd> {
  const { url } = random.pick(run.servers);
  const users = await createAccounts(url, USERS);
  const conversations: Conversation[] = users.flatMap((user, index) =>
    DISTANCES.map((distance) => dialogOf(user, users[(index + distance) % users.length] ?? user)),
  );
  for (let group = 0; group < GROUPS; group++) {
    const members = random.sample(users, MEMBERS_OF_GROUP);
    conversations.push({ id: await createGroup(url, members), kind: 'group', memberIds: new Set(members.map(({ id }) => id)) });
  }
  for (const conversation of conversations) run.history.conversations.set(conversation.id, conversation);
  const ownOf = ({ id }: Account) => conversations.filter(({ memberIds }) => memberIds.has(id));
  const clients = users.flatMap((user) => {
    const count = random.integer(1, MOST_CLIENTS);
    return Array.from({ length: count }, () => new Client(user, ownOf(user), run, random.fork()));
  });
  const devices = users
    .filter((_user, index) => index % USERS_PER_DEVICE === 0)
    .map((user) => new Device(user, ownOf(user), run, random.fork()));
  return { clients, devices };
}

function dialogOf(one: Account, other: Account): Conversation {
  return { id: dialogId(one.id, other.id), kind: 'dialog', memberIds: new Set([one.id, other.id]) };
}
