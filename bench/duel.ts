import { type Sample, type Summary, summarise } from './samples.ts';
import type { Target } from './stage.ts';

/** Rounds that a figure's time is cut into. */
const ROUNDS = 3;
/** Seconds of load before anything counts: the code of a server is compiled by and by, beside its work, and its caches are to be filled. */
const WARM_UP = 10;

/** What a load found of one target. */
export interface Result extends Summary {
  /** Microseconds of the target process's processor time for each thing done. */
  cpuMicroseconds: number | undefined;
  /** Bytes that the target process uses at the end. */
  memory: number | undefined;
}

/** One side of a duel: a target, and what loads it for some seconds. */
export interface Side {
  target: Target;
  load: (seconds: number) => Promise<Sample>;
}

/** Loads both sides in turn, round after round, so that whatever else the machine does falls on both. */
export async function duel(seconds: number, server: Side, floor: Side): Promise<[server: Result, floor: Result]> {
  const runs = [new Run(server), new Run(floor)] as const;
  for (const run of runs) await run.side.load(Math.min(WARM_UP, seconds));
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) await run.round(seconds / ROUNDS);
  }
  return [await runs[0].result(), await runs[1].result()];
}

class Run {
  readonly side: Side;
  readonly #samples: Sample[] = [];
  #cpuSeconds: number | undefined = 0;

  constructor(side: Side) {
    this.side = side;
  }

  async round(seconds: number): Promise<void> {
    const before = await this.side.target.process?.cpuSeconds();
    this.#samples.push(await this.side.load(seconds));
    const after = await this.side.target.process?.cpuSeconds();
    this.#cpuSeconds =
      before === undefined || after === undefined || this.#cpuSeconds === undefined ? undefined : this.#cpuSeconds + after - before;
  }

  async result(): Promise<Result> {
    const count = this.#samples.reduce((sum, sample) => sum + sample.count, 0);
    return {
      ...summarise(this.#samples),
      cpuMicroseconds: this.#cpuSeconds === undefined ? undefined : (this.#cpuSeconds * 1e6) / count,
      memory: await this.side.target.process?.memory(),
    };
  }
}
