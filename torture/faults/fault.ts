import type { Actor } from '../actor.ts';
import type { Device } from '../device.ts';
import type { Postgres } from '../postgres.ts';
import type { Random } from '../random.ts';
import type { Run } from '../run.ts';

/** What faults are done to. */
export interface Victims extends Run {
  /** The faults that happen now from which the servers must recover, by name. */
  striking: Set<string>;
  postgres: Postgres;
  /** All of them, those of `devices` included. */
  clients: Actor[];
  devices: Device[];
  /** Decides what a fault does. */
  random: Random;
}

/** Something that goes wrong, and is over when `strike` resolves. */
export interface Fault {
  name: string;
  /** Returns whether it hit anything. */
  strike(victims: Victims): Promise<boolean>;
}
