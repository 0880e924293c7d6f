import type { Scenario } from '../figures.ts';
import { chats } from './chats.ts';
import { connects } from './connect.ts';
import { groupMessages } from './group.ts';
import { history } from './history.ts';
import { idle } from './idle.ts';
import { logins } from './logins.ts';
import { messageSearch } from './messageSearch.ts';
import { nodes } from './nodes.ts';
import { privateMessages } from './private.ts';
import { search } from './search.ts';

/** All scenarios, in the order in which they are played and reported. */
export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map([
  ['private', privateMessages],
  ['group', groupMessages],
  ['connect', connects],
  ['idle', idle],
  ['chats', chats],
  ['history', history],
  ['search', search],
  ['messageSearch', messageSearch],
  ['logins', logins],
  ['nodes', nodes],
]);
