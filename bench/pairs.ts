import type { Lane } from './exchange.ts';
import { LoadClient } from './loadClient.ts';
import type { Target } from './stage.ts';

/** Makes and connects so many pairs of people: one of each writes to the other, who may be connected to another process. */
export async function connectPairs(target: Target, count: number, receiving = target): Promise<Lane[]> {
  const accounts = await target.accounts(count * 2);
  const sockets = await Promise.all(
    accounts.map((account, index) => LoadClient.connect((index % 2 === 0 ? target : receiving).url, account)),
  );
  const lanes: Lane[] = [];
  for (let index = 0; index < accounts.length; index += 2) {
    const [sender, receiver, account] = [sockets[index], sockets[index + 1], accounts[index + 1]];
    if (sender && receiver && account) lanes.push({ sender, receiver, type: 'privateMessage', to: { receiverId: account.id } });
  }
  return lanes;
}
