import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import { Socket } from './socket.ts';

/** What a client may say when it asks for a WebSocket. */
export interface Offer {
  path?: string;
  protocols?: string[];
  headers?: Record<string, string>;
}

export interface Opened {
  status: 101;
  /** The subprotocol that the server selected; empty when none. */
  protocol: string;
  /** The headers of the server's answer, as text. */
  headers: string;
  socket: Socket;
  /** How the server closes the connection, whenever it does. */
  closed: Promise<{ code: number; reason: string }>;
}

export interface Refused {
  status: number;
  body: unknown;
}

/** The token as a script passes it. */
export const byHeader = (token: string): Offer => ({ headers: { authorization: `Bearer ${token}` } });
/** The token as a browser passes it. */
export const bySubprotocol = (token: string): Offer => ({ protocols: ['auth', token] });

/** Asks for a WebSocket and tells what came of it. */
export async function handshake(
  server: { url: string },
  { path = '/api/ws', protocols = [], headers = {} }: Offer,
): Promise<Opened | Refused> {
  const client = new WebSocket(server.url.replace('http', 'ws') + path, protocols, { headers });
  const socket = new Socket(client);
  const closed = socket.closed();
  let answered = '';
  client.on('upgrade', (response) => {
    answered = response.rawHeaders.join('\n');
  });
  const refused = new Promise<IncomingMessage>((resolve) => client.once('unexpected-response', (_request, response) => resolve(response)));
  const outcome = await Promise.race([once(client, 'open').then(() => undefined), refused]);
  if (!outcome) return { status: 101, protocol: client.protocol, headers: answered, socket, closed };
  const body: unknown = JSON.parse(await text(outcome));
  client.on('error', () => {});
  client.terminate();
  return { status: outcome.statusCode ?? 0, body };
}

/** A handshake that must succeed. */
export async function opened(server: { url: string }, offer: Offer): Promise<Opened> {
  const outcome = await handshake(server, offer);
  if (!('socket' in outcome)) throw new Error(`refused with ${outcome.status}`);
  return outcome;
}
