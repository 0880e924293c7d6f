import { createAccounts } from '../bench/accounts.ts';
import type { Account } from '../bench/client.ts';
import { createGroup } from '../bench/groups.ts';
import { dialogId } from '../src/features/messages/dialogId.ts';
import { Client } from './client.ts';
import type { Conversation } from './history.ts';
import type { Random } from './random.ts';
import type { Run } from './run.ts';

const USERS = 24;
/** With whom each user has a dialog: those so many places further on. */
const DISTANCES = [1, 5];
const GROUPS = 6;
const MEMBERS_OF_GROUP = 8;
const MOST_DEVICES = 3;

/** Makes the users, their conversations, and from one to three devices of each. */
export async function gather(run: Run, random: Random): Promise<Client[]> {
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
  return users.flatMap((user) => {
    const own = conversations.filter(({ memberIds }) => memberIds.has(user.id));
    return Array.from({ length: random.integer(1, MOST_DEVICES) }, () => new Client(user, own, run, random.fork()));
  });
}

function dialogOf(one: Account, other: Account): Conversation {
  return { id: dialogId(one.id, other.id), kind: 'dialog', memberIds: new Set([one.id, other.id]) };
}
