import { once } from 'node:events';
import { type Account, connect as open } from '../client.ts';
import { duel, type Side } from '../duel.ts';
import type { Findings } from '../figures.ts';
import type { Sample } from '../samples.ts';
import type { Stage, Target } from '../stage.ts';

const PEOPLE = 50;

/** People who connect, go, and connect again, so many at a time: each time the token, the session and the groups are looked at. */
export async function connect(stage: Stage): Promise<Findings> {
  const scenario = `connect, ${PEOPLE} at a time`;
  const server = await sideOf(await stage.server());
  const relay = await sideOf(await stage.relay());
  stage.say(scenario);
  const [ours, floor] = await duel(stage.options.seconds, server, relay);
  return {
    figures: [{ ...ours, scenario, unit: 'connects/s', value: ours.perSecond, floor: floor.perSecond, required: { atLeast: 0.6 } }],
    lines: [],
  };
}

async function sideOf(target: Target): Promise<Side> {
  const accounts = await target.accounts(PEOPLE);
  return { target, load: (seconds) => comeAndGo(target.url, accounts, seconds) };
}

async function comeAndGo(url: string, accounts: Account[], seconds: number): Promise<Sample> {
  const latencies: number[] = [];
  const begin = performance.now();
  const visit = async (account: Account) => {
    while (performance.now() - begin < seconds * 1000) {
      const arrival = performance.now();
      const socket = await open(url, account);
      latencies.push(performance.now() - arrival);
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    }
  };
  await Promise.all(accounts.map(visit));
  return { count: latencies.length, seconds: (performance.now() - begin) / 1000, latencies };
}
