import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Serves a request that asks to become something else than a WebSocket, as if it had not asked: Java's client and `curl --http2`
 * offer HTTP/2 with every request, and a server may ignore it. Node hands such a request over with its body unread,
 * so it is written out again without the offer and read anew.
 */
export function serveWithoutUpgrade(httpServer: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? '';
    if (!/^(upgrade|connection|http2-settings)$/i.test(name)) lines.push(`${name}: ${request.rawHeaders[index + 1]}`);
  }
  socket.unshift(head);
  socket.unshift(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
  httpServer.emit('connection', socket);
}
