import { duel, type Side } from '../duel.ts';
import { exchange } from '../exchange.ts';
import type { Figure, Findings } from '../figures.ts';
import { connectPairs } from '../pairs.ts';
import type { Stage, Target } from '../stage.ts';

const PAIRS = 50;
/** Messages of each pair that are on their way at a time. */
const LOADS = [1, 2, 4, 8, 16];

/** 50 pairs: one of each writes to the other. */
export async function privateMessages(stage: Stage): Promise<Findings> {
  const server = await sideOf(await stage.server());
  const relay = await sideOf(await stage.relay());
  const figures: Figure[] = [];
  const points: Record<'messenger' | 'relay', { x: number; y: number }[]> = { messenger: [], relay: [] };
  for (const inFlight of LOADS) {
    const scenario = `private, ${inFlight} in flight`;
    stage.say(scenario);
    const [ours, floor] = await duel(stage.options.seconds, server(inFlight), relay(inFlight));
    points.messenger.push({ x: ours.perSecond, y: ours.p99 });
    points.relay.push({ x: floor.perSecond, y: floor.p99 });
    const throughput = { scenario, unit: 'messages/s', value: ours.perSecond, floor: floor.perSecond, ...ours };
    if (inFlight === 1) {
      figures.push({ ...throughput, required: { atLeast: 0.5 } });
      figures.push({ scenario, unit: 'p50 ms', value: ours.p50, floor: floor.p50, required: { atMost: 2.5 } });
    } else if (inFlight === 4) {
      figures.push({ ...throughput, required: { atLeast: 0.6 } });
      figures.push({ scenario, unit: 'p99 ms', value: ours.p99, floor: floor.p99, required: { atMost: 2.5 } });
    } else figures.push(throughput);
  }
  const lines = Object.entries(points).map(([name, points]) => ({ chart: 'throughput' as const, name, points }));
  return { figures, lines };
}

async function sideOf(target: Target): Promise<(inFlight: number) => Side> {
  const lanes = await connectPairs(target, PAIRS);
  return (inFlight) => ({ target, load: (seconds) => exchange(lanes, inFlight, seconds) });
}
