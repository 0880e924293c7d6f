/** How long the client waits, in milliseconds. */
export interface Timings {
  /** For the first attempt after a failure, at most; twice as long for each one after it, up to the longest. */
  firstWait: number;
  longestWait: number;
  /** For an answer. The server answers sooner, whatever happens: then the connection is dead. */
  answerWithin: number;
  /** For anything at all to come, before it asks for a sign of life: a browser does not tell that a connection is dead. */
  silence: number;
  /** For that sign of life, where the user returned or the network changed: the connection may be dead, and somebody looks at it. */
  signOfLifeWithin: number;
  /** For an event that another one has overtaken, before it asks for it. */
  gapPatience: number;
  /** Before it asks what it missed when the server says that something may have been lost, at most: the server tells many clients at once. */
  catchUpSpread: number;
}

export const TIMINGS: Timings = {
  firstWait: 1_000,
  longestWait: 30_000,
  answerWithin: 25_000,
  silence: 30_000,
  signOfLifeWithin: 5_000,
  gapPatience: 100,
  catchUpSpread: 1_000,
};
