import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';
import type { Express, Router } from 'express';
import { z } from 'zod';

/** Node tells of every request that it begins to serve, and by which server. */
const CHANNEL = 'http.server.request.start';
const begun = z.object({ server: z.instanceof(Server) });

const isApp = (handler: unknown): handler is Express => typeof handler === 'function' && 'router' in handler;
const isRouter = (handler: unknown): handler is Router => typeof handler === 'function' && 'stack' in handler;

/** Every method and path that a server in this process has a handler for, asked of Express itself: `get /health/live`. */
export async function addressesOf({ url }: { url: string }): Promise<string[]> {
  const servers: Server[] = [];
  const note = (message: unknown) => servers.push(begun.parse(message).server);
  subscribe(CHANNEL, note);
  await fetch(`${url}/health/live`);
  unsubscribe(CHANNEL, note);
  const apps = servers.flatMap((server) => server.listeners('request')).filter(isApp);
  if (apps.length === 0) throw new Error('no app of Express was found');
  return apps.flatMap(({ router }) => addressesIn(router));
}

function addressesIn(router: Router): string[] {
  return router.stack.flatMap(({ route, handle }) => {
    if (route) return route.stack.map(({ method }) => `${method} ${route.path}`);
    return isRouter(handle) ? addressesIn(handle) : [];
  });
}
