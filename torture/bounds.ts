/** How long a request may wait for its answer, in milliseconds: for a statement that the database gives up, and one behind it. */
export const ANSWER_WITHIN = 13_000;
/** How long after the end of a fault it may take until all clients are served again, in milliseconds. */
export const WELL_WITHIN = 10_000;
/** How long after the end of a fault, or of the load, is waited at all, in milliseconds. */
export const GIVE_UP_AFTER = 60_000;
/** How long a server may take to stop when it is asked to, in milliseconds. */
export const STOP_WITHIN = 10_000;
/** How long a broadcast may take from one server to another, in milliseconds, while Redis serves both. */
export const BROADCAST_WITHIN = 2_000;
/** How long after Redis serves again broadcasts may be lost between servers, in milliseconds. */
export const BUS_BACK_WITHIN = 7_000;
/** How long PostgreSQL may be away after it was killed, in milliseconds. */
export const DATABASE_BACK_WITHIN = 30_000;
/** Lines that the server may log from the beginning of a fault until all is well. */
export const LOG_LINES_PER_FAULT = 200;
/** How often the server asks clients for a sign of life, in seconds. */
export const PING_INTERVAL_SECONDS = 5;
/** How long a client that answers no ping may stay connected, in milliseconds: two intervals and a moment. */
export const SILENT_GONE_WITHIN = PING_INTERVAL_SECONDS * 2_000 + 1_500;
