import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type RawData, WebSocket } from 'ws';

/** Somebody who can connect. */
export interface Account {
  id: string;
  token: string;
}

/** What the load needs to know of a frame. */
interface Frame {
  error?: true;
  message?: string;
  params?: { data: { createdAt: string }[] | null };
}

/** Opens a connection and resolves when it is open. */
export async function connect(url: string, { token }: Account): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/ws`, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  await once(socket, 'open');
  return socket;
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

/** Sends one request and resolves with the rows of its answer. Nothing else may be under way on the connection. */
export async function ask(socket: WebSocket, type: string, params: object): Promise<{ createdAt: string }[]> {
  socket.send(JSON.stringify({ type, requestId: randomUUID(), params }));
  const [data] = await once(socket, 'message');
  return readFrame(data).params?.data ?? [];
}
