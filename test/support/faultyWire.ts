import { afterEach, beforeEach } from 'vitest';
import type { State } from '../../client/index.ts';
import { Application, type QuickTimings } from './application.ts';
import { FaultyServer } from './faultyServer.ts';

/** A faulty server for each test of a suite, and applications on it. */
export interface FaultyWire {
  readonly server: FaultyServer;
  begin(state?: State, timings?: Partial<QuickTimings>): Application;
  /** The same, when it has been given all there is. */
  open(state?: State, timings?: Partial<QuickTimings>): Promise<Application>;
  /** The requests of a type so far. */
  asked(type: string): FaultyServer['requests'];
}

export const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${prefix} ${index + 1}`);

/** Call it in a suite. */
export function faultyWire(): FaultyWire {
  let server: FaultyServer;
  const applications: Application[] = [];
  beforeEach(async () => {
    server = await new FaultyServer().listen();
  });
  afterEach(async () => {
    for (const { client } of applications.splice(0)) client.close();
    await server.stop();
  });
  const begin = (state?: State, timings?: Partial<QuickTimings>) => {
    const application = new Application(server, state, timings);
    applications.push(application);
    return application;
  };
  return {
    get server() {
      return server;
    },
    begin,
    open: (...given) => begin(...given).online(),
    asked: (wanted) => server.requests.filter(({ type }) => type === wanted),
  };
}
