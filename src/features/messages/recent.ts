/**
 * How long after something was done its event is sought by asking for the same again, in milliseconds. Later such a request is no sign of a
 * loss: who was ever allowed to do it, and may have left since, could make everybody catch up without end. The clocks of servers differ by
 * far less.
 */
const RECENT = 60_000;

/** Whether what is asked for again was done so lately that its event may have been lost. */
export const isRecent = (doneAt: Date): boolean => Date.now() - doneAt.getTime() < RECENT;
