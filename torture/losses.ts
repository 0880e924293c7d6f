import { BROADCAST_WITHIN, BUS_BACK_WITHIN } from './bounds.ts';
import type { SeenConnection, Send } from './history.ts';

/** How long before its death a killed server may have acknowledged what it did not pass on, in milliseconds. */
const KILLED_WITHIN = 1_000;

/** A time in which what goes from or to a server may be lost; from moment to moment of the history. */
interface Outage {
  from: number;
  until: number;
  /** Undefined for all servers. */
  node: number | undefined;
}

/**
 * Says when a broadcast from one server to another may be missing. That is so only
 * - from the beginning of a fault of Redis until `BUS_BACK_WITHIN` after its end; where Redis is cut off from one server, only from and to that one;
 * - when the server that acknowledged the message is killed at once.
 *
 * Within one server none is lost, whatever Redis does.
 */
export class Losses {
  readonly #outages: Outage[] = [];
  readonly #deaths: { node: number; at: number }[] = [];

  /** Redis begins to be away, from all servers or from one. Call what it returns when that is over. */
  begin(from: number, node?: number): (moment: number) => void {
    const outage: Outage = { from, until: Number.POSITIVE_INFINITY, node };
    this.#outages.push(outage);
    return (moment) => {
      outage.until = moment + BUS_BACK_WITHIN;
    };
  }

  /** A server is killed. */
  killed(node: number, at: number): void {
    this.#deaths.push({ node, at });
  }

  /** Whether the broadcast of a message that was acknowledged may be missing on a connection. */
  mayMiss({ node, begunAt, acknowledgedAt = begunAt }: Send, connection: SeenConnection): boolean {
    if (node === connection.node) return false;
    const arrival = acknowledgedAt + BROADCAST_WITHIN;
    const isNear = (outage: Outage) => outage.node === undefined || outage.node === node || outage.node === connection.node;
    return (
      this.#outages.some((outage) => isNear(outage) && begunAt <= outage.until && arrival >= outage.from) ||
      this.#deaths.some((death) => death.node === node && begunAt <= death.at && acknowledgedAt >= death.at - KILLED_WITHIN)
    );
  }

  /** The moment after which a broadcast is missing that has not come, if the connection serves that long. */
  dueAt({ node, acknowledgedAt = Number.POSITIVE_INFINITY }: Send, connection: SeenConnection): number {
    return node === connection.node ? acknowledgedAt : acknowledgedAt + BROADCAST_WITHIN;
  }
}
