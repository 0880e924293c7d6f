import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket } from 'ws';
import { joinWrites } from '../src/lib/joinWrites.ts';

/** Somebody who can connect. */
export interface Account {
  id: string;
  token: string;
}

/** What the load needs to know of a frame. */
interface Frame {
  error?: true;
  message?: string;
  requestId?: string;
  params?: { isBroadcast: boolean; item: { messageId?: string } | null; data: { createdAt: string }[] | null };
}

const streams = new WeakMap<WebSocket, Duplex>();

/** Opens a connection and resolves when it is open. */
export async function connect(url: string, { token }: Account): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/ws`, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  socket.once('upgrade', (response) => streams.set(socket, response.socket));
  await once(socket, 'open');
  return socket;
}

/** Sends a frame; those of one turn of the event loop go out at once, so that the load takes less of the machine. */
export function send(socket: WebSocket, text: string): void {
  const stream = streams.get(socket);
  if (stream) joinWrites(stream);
  socket.send(text);
}

/** Opens a connection for each account, some at a time. */
export async function connectAll(url: string, accounts: Account[]): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (let from = 0; from < accounts.length; from += 100) {
    sockets.push(...(await Promise.all(accounts.slice(from, from + 100).map((account) => connect(url, account)))));
  }
  return sockets;
}

/** Closes connections and waits until they are gone. */
export async function disconnectAll(sockets: WebSocket[]): Promise<void> {
  await Promise.all(
    sockets.map((socket) => {
      const closed = once(socket, 'close');
      socket.close();
      return closed;
    }),
  );
}

/** Reads a frame; an error of the server ends the run, since a figure of failures means nothing. */
function readFrame(data: RawData): Frame {
  const frame: Frame = JSON.parse(String(data));
  if (frame.error) throw new Error(`the server answered: ${frame.message}`);
  return frame;
}

/**
 * The id that an answer repeats; undefined for a broadcast. It is found and not parsed, so that the load takes less of the machine.
 * @throws when the frame is an error
 */
export function answeredId(data: RawData): string | undefined {
  const text = String(data);
  if (text.startsWith('{"error"')) throw new Error(`the server answered: ${text}`);
  return idAfter('"requestId":"', text, text.lastIndexOf('"requestId":"'));
}

/** The id of the message that a broadcast brings; undefined for an answer. */
export function broadcastId(data: RawData): string | undefined {
  const text = String(data);
  return idAfter('"messageId":"', text, text.indexOf('"messageId":"'));
}

function idAfter(key: string, text: string, at: number): string | undefined {
  return at < 0 ? undefined : text.slice(at + key.length, at + key.length + 36);
}

/** Sends one request and resolves with the rows of its answer. Nothing else may be under way on the connection. */
export async function ask(socket: WebSocket, type: string, params: object): Promise<{ createdAt: string }[]> {
  socket.send(JSON.stringify({ type, requestId: randomUUID(), params }));
  const [data] = await once(socket, 'message');
  return readFrame(data).params?.data ?? [];
}
