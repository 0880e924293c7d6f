import type { Scenario } from '../figures.ts';
import { connects } from './connect.ts';
import { groupMessages } from './group.ts';
import { idle } from './idle.ts';
import { logins } from './logins.ts';
import { privateMessages } from './private.ts';

/** All scenarios, in the order in which they are played and reported. */
export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map([
  ['private', privateMessages],
  ['group', groupMessages],
  ['connect', connects],
  ['idle', idle],
  ['logins', logins],
]);
