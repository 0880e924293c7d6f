/** What a load measured: how many things were done in how many seconds, and how long each took, in milliseconds. */
export interface Sample {
  count: number;
  seconds: number;
  latencies: number[];
}

/** A sample's figures; times are in milliseconds. */
export interface Summary {
  perSecond: number;
  p50: number;
  p99: number;
}

/** The value that the given part of all values does not exceed. */
export function percentile(values: number[], part: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** The figures of several samples taken as one. */
export function summarise(samples: Sample[]): Summary {
  const latencies = samples.flatMap((sample) => sample.latencies);
  const seconds = samples.reduce((sum, sample) => sum + sample.seconds, 0);
  return {
    perSecond: samples.reduce((sum, sample) => sum + sample.count, 0) / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}

/** Runs `work` again and again for some seconds, one after the other, and takes the time of each. */
export async function repeat(seconds: number, work: () => Promise<unknown>): Promise<Sample> {
  const latencies: number[] = [];
  const begin = performance.now();
  for (let now = begin; now - begin < seconds * 1000; ) {
    await work();
    const end = performance.now();
    latencies.push(end - now);
    now = end;
  }
  return { count: latencies.length, seconds: (performance.now() - begin) / 1000, latencies };
}

/** Does `repeat` as many times side by side. */
export async function repeatAtOnce(times: number, seconds: number, work: () => Promise<unknown>): Promise<Sample> {
  const begin = performance.now();
  const samples = await Promise.all(Array.from({ length: times }, () => repeat(seconds, work)));
  const latencies = samples.flatMap((sample) => sample.latencies);
  return { count: latencies.length, seconds: (performance.now() - begin) / 1000, latencies };
}
