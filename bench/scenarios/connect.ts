import type { Account } from '../client.ts';
import { duel, type Side } from '../duel.ts';
import type { Findings } from '../figures.ts';
import { createGroup } from '../groups.ts';
import { LoadClient } from '../loadClient.ts';
import { repeatAtOnce } from '../samples.ts';
import type { Stage, Target } from '../stage.ts';

const USERS = 50;
const USERS_QUICK = 5;
const GROUPS = 3;
/** Connections that are being opened or closed at a time. */
const AT_ONCE = 32;

/** Users who are each in some groups open a connection with their token and close it again. Times are those of both together. */
export async function connects(stage: Stage): Promise<Findings> {
  const users = stage.options.quick ? USERS_QUICK : USERS;
  const server = await stage.server();
  stage.say(`making ${users} users who are in ${GROUPS} groups`);
  const accounts = await server.accounts(users);
  for (let count = 0; count < GROUPS; count++) await createGroup(server.url, accounts);
  const relay = await stage.relay();
  const scenario = `connect, ${AT_ONCE} at a time`;
  stage.say(scenario);
  const [result, floor] = await duel(stage.options.seconds, sideOf(server, accounts), sideOf(relay, await relay.accounts(users)));
  const figure = { ...result, scenario, unit: 'connects/s', value: result.perSecond, floor: floor.perSecond, required: { atLeast: 0.6 } };
  return { figures: [figure], lines: [] };
}

function sideOf(target: Target, accounts: Account[]): Side {
  let turn = 0;
  const openAndClose = async () => {
    const account = accounts[turn++ % accounts.length];
    if (!account) throw new Error('nobody can connect');
    await (await LoadClient.connect(target.url, account)).close();
  };
  return { target, load: (seconds) => repeatAtOnce(AT_ONCE, seconds, openAndClose) };
}
