import type { Scenario } from '../figures.ts';
import { chats } from './chats.ts';
import { connect } from './connect.ts';
import { group } from './group.ts';
import { history } from './history.ts';
import { idle } from './idle.ts';
import { logins } from './logins.ts';
import { privateMessages } from './private.ts';
import { search } from './search.ts';

/** Every scenario, by the name that the command takes. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  Object.entries({ private: privateMessages, group, connect, idle, chats, history, search, logins }),
);
