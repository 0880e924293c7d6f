/** What became of the faults of one kind. Times are in milliseconds; 0 for those that the server need not recover from. */
export interface FaultCount {
  count: number;
  /** From its end until all clients were served again, at most. */
  longestUntilWell: number;
  /** Lines that the server logged meanwhile, at most. */
  mostLogLines: number;
}

/** What happened in a run, for people to read. */
export class Counts {
  sends = 0;
  retries = 0;
  acknowledged = 0;
  /** Changes of messages that were begun. */
  changes = 0;
  /** Messages that were answered with an error, each time. */
  refusals = 0;
  broadcasts = 0;
  pages = 0;
  connects = 0;
  /** Conversations that a client library had its application read anew. */
  resets = 0;
  /** Connections that ended and were replaced, by close code. */
  readonly closes = new Map<number, number>();
  /** Of a request on a connection that stayed, in milliseconds. */
  longestAnswer = 0;
  /** Errors that were answered, by code. */
  readonly errors = new Map<string, number>();
  readonly faults = new Map<string, FaultCount>();
  /** Faults that hit nothing, by kind. */
  readonly misses = new Map<string, number>();

  error(code: string): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  closed(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }

  missed(name: string): void {
    this.misses.set(name, (this.misses.get(name) ?? 0) + 1);
  }

  fault(name: string, { untilWell = 0, logLines = 0 } = {}): void {
    const { count, longestUntilWell, mostLogLines } = this.faults.get(name) ?? { count: 0, longestUntilWell: 0, mostLogLines: 0 };
    this.faults.set(name, {
      count: count + 1,
      longestUntilWell: Math.max(longestUntilWell, untilWell),
      mostLogLines: Math.max(mostLogLines, logLines),
    });
  }
}
