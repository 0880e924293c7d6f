import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client that says what it is told to and nothing else: it neither answers nor closes by itself. */
export interface RawSocket {
  socket: Socket;
  /** What the server has said. */
  said(): string;
  /** Resolves when the server says it is done; the connection may still be open on this side. */
  ended: Promise<unknown>;
}

/** Opens a TCP connection, and says `text`. */
export async function rawSocket(server: { url: string }, text = ''): Promise<RawSocket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  let said = '';
  socket.on('data', (chunk) => {
    said += String(chunk);
  });
  socket.on('error', () => {});
  const ended = Promise.race([once(socket, 'end'), once(socket, 'close')]);
  await once(socket, 'connect');
  socket.write(text);
  return { socket, said: () => said, ended };
}

/** The text of a request to become a WebSocket. */
export function upgradeRequest(token: string, path = '/api/ws'): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Authorization: Bearer ${token}`,
    '',
    '',
  ].join('\r\n');
}
