import { randomUUID } from 'node:crypto';
import { post } from './accounts.ts';
import { type Account, ask, connect, disconnectAll } from './client.ts';

/** Makes a group over the protocol: the first of the members creates it and adds the others. Returns its id. */
export async function createGroup(url: string, members: Account[]): Promise<string> {
  const [owner, ...others] = members;
  if (!owner) throw new Error('a group needs a member');
  const groupId = randomUUID();
  const group = { groupId, groupName: 'Bench', notificationMessage: 'Welcome', messageId: randomUUID() };
  await post(`${url}/api/groups`, group, owner.token);
  const socket = await connect(url, owner);
  for (const { id } of others) {
    await ask(socket, 'addUserInGroup', { groupId, userId: id, messageId: randomUUID(), message: 'Somebody joined' });
  }
  await disconnectAll([socket]);
  return groupId;
}
