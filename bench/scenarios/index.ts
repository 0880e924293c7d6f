import type { Scenario } from '../figures.ts';
import { connect } from './connect.ts';
import { group } from './group.ts';
import { idle } from './idle.ts';
import { logins } from './logins.ts';
import { privateMessages } from './private.ts';

/** Every scenario, by the name that the command takes. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(Object.entries({ private: privateMessages, group, connect, idle, logins }));
